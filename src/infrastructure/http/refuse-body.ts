import type { Request, Response } from 'express';

/** How long a client that is refused in mid-sentence may take to read the answer. */
const LINGER_MS = 2000;

/**
 * Stops reading a request whose body is not complete, so that the answer still arrives.
 *
 * Node would either read the rest of the body to the end (keep-alive) or close at once; closing with unread bytes
 * resets the connection, and many clients then report the reset and never see the answer. So: nothing more is read
 * (the client's sending stalls), the answer is written with `Connection: close`, our side of the connection is
 * ended, and two seconds later the connection is destroyed. Web servers know this as lingering close.
 */
export function refuseRestOfBody(request: Request, response: Response): void {
  if (request.complete || response.headersSent) return;
  const { socket } = request;
  request.unpipe();
  request.pause();
  // Marks the body as taken care of; otherwise Node reads and discards all of it once the answer is sent.
  request.read(0);
  response.setHeader('Connection', 'close');
  // What Node's HTTP server calls when the last answer of a connection has been written.
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  };
}
