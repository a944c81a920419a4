import { createServer, type AddressInfo } from 'node:net';

/** The only address that a throw-away service listens on. */
export const LOOPBACK = '127.0.0.1';

/**
 * Asks the kernel for a TCP port of 127.0.0.1 that nobody listens on.
 * Another process may take it before the caller does, so a start that fails for that reason is tried again with a
 * new port (see {@link withFreePort}).
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/**
 * Runs `start` with a free port, up to three times, because between finding a port and listening on it
 * a neighbour may have taken it.
 *
 * @throws the last error of `start`
 */
export async function withFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === 3 || !/in use|address already/i.test(String(error))) throw error;
    }
  }
}
