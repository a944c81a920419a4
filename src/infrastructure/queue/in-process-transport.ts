import { setTimeout as sleep } from 'node:timers/promises';
import type { JobMessage, JobTransport, ReceivedJobMessage, TransportHealth } from './job-transport.js';

interface Waiting extends JobMessage {
  arrival: number;
}

/** A priority queue in memory, for the embedded product: the process that has the rows also works on them. */
export class InProcessTransport implements JobTransport {
  readonly kind = 'in-process';
  /** Sorted, next one last, so that taking one is a pop. The dispatcher keeps it short. */
  private readonly waiting: Waiting[] = [];
  private readonly held = new Set<string>();
  private readonly running = new Set<Promise<void>>();
  private handler: ((message: ReceivedJobMessage) => Promise<void>) | null = null;
  private concurrency = 0;
  private arrivals = 0;
  private closed = false;

  async dispatch(messages: JobMessage[]): Promise<void> {
    if (this.closed) throw new Error('the job transport is closed');
    for (const message of messages) {
      if (this.held.has(message.delivery)) continue;
      this.held.add(message.delivery);
      this.insert({ ...message, arrival: (this.arrivals += 1) });
    }
    this.fill();
  }

  async consume(handler: (message: ReceivedJobMessage) => Promise<void>, concurrency: number): Promise<void> {
    if (this.handler) throw new Error('the job transport has a consumer already');
    this.handler = handler;
    this.concurrency = concurrency;
    this.fill();
  }

  async close({ drainMs }: { drainMs: number }): Promise<void> {
    this.closed = true;
    // What waits is not lost: its rows are due, and handed out again by whichever process runs next.
    this.waiting.length = 0;
    this.held.clear();
    const abort = new AbortController();
    await Promise.race([
      Promise.all(this.running),
      sleep(drainMs, undefined, { signal: abort.signal }).catch(() => undefined),
    ]);
    abort.abort();
  }

  async health(): Promise<TransportHealth> {
    return this.closed ? { ok: false, detail: 'the job transport is closed' } : { ok: true, detail: null };
  }

  private insert(message: Waiting): void {
    let low = 0;
    let high = this.waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (runsBefore(message, this.waiting[middle] as Waiting)) low = middle + 1;
      else high = middle;
    }
    this.waiting.splice(low, 0, message);
  }

  private fill(): void {
    while (!this.closed && this.handler && this.running.size < this.concurrency) {
      const next = this.waiting.pop();
      if (!next) return;
      const run = this.handler({ jobId: next.jobId, userId: next.userId })
        .catch(() => undefined)
        .finally(() => {
          this.held.delete(next.delivery);
          this.running.delete(run);
          this.fill();
        });
      this.running.add(run);
    }
  }
}

function runsBefore(a: Waiting, b: Waiting): boolean {
  return a.priority === b.priority ? a.arrival < b.arrival : a.priority < b.priority;
}
