import { InProcessTransport } from './in-process-transport.js';

const message = (jobId: string, priority = 5, delivery = jobId) => ({
  jobId,
  userId: 'user',
  priority,
  delivery,
});
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('InProcessTransport', () => {
  it('hands over the lowest priority number first, and in order of arrival among equals', async () => {
    const transport = new InProcessTransport();
    const order: string[] = [];
    await transport.dispatch([message('c', 5), message('a', -2.5), message('d', 5), message('b', 0.5)]);
    await transport.consume(async ({ jobId }) => void order.push(jobId), 1);
    await tick();
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('runs as many at a time as it may', async () => {
    const transport = new InProcessTransport();
    let running = 0;
    let most = 0;
    await transport.consume(async () => {
      most = Math.max(most, (running += 1));
      await tick();
      running -= 1;
    }, 3);
    await transport.dispatch(Array.from({ length: 10 }, (_, index) => message(`job ${index}`)));
    await transport.close({ drainMs: 0 });
    await tick();
    expect(most).toBe(3);
  });

  it('holds a delivery once, until it was handled', async () => {
    const transport = new InProcessTransport();
    const handled: string[] = [];
    let release: () => void = () => undefined;
    await transport.consume(async ({ jobId }) => {
      handled.push(jobId);
      await new Promise<void>((resolve) => (release = resolve));
    }, 1);
    await transport.dispatch([message('job'), message('job')]);
    await transport.dispatch([message('job')]);
    expect(handled).toEqual(['job']);
    release();
    await tick();
    await transport.dispatch([message('job')]);
    expect(handled).toEqual(['job', 'job']);
    release();
  });

  it('goes on after a handler that throws', async () => {
    const transport = new InProcessTransport();
    const handled: string[] = [];
    await transport.consume(async ({ jobId }) => {
      handled.push(jobId);
      throw new Error('must not happen');
    }, 1);
    await transport.dispatch([message('one'), message('two')]);
    await tick();
    expect(handled).toEqual(['one', 'two']);
  });

  it('waits for what runs when it is closed, starts nothing more, and says that it is closed', async () => {
    const transport = new InProcessTransport();
    const ended: string[] = [];
    await transport.consume(async ({ jobId }) => {
      await tick();
      ended.push(jobId);
    }, 1);
    await transport.dispatch([message('one'), message('two')]);
    await transport.close({ drainMs: 1_000 });
    await tick();
    expect(ended).toEqual(['one']);
    expect((await transport.health()).ok).toBe(false);
    await expect(transport.dispatch([message('three')])).rejects.toThrow('closed');
    await expect(transport.consume(async () => undefined, 1)).rejects.toThrow('consumer already');
  });
});
