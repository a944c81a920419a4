import { getPriority } from 'node:os';
import { runProcess } from './child-process.js';

const node = (script: string) => [process.execPath, '-e', script];
const limits = { timeoutMs: 20_000, maxOutputBytes: 100_000 };

describe('runProcess', () => {
  it('gives what the program wrote', async () => {
    const { stdout, stderr } = await runProcess(node('console.log("out"); console.error("err")'), limits);
    expect([stdout.toString(), stderr]).toEqual(['out\n', 'err\n']);
  });

  it('passes arguments on as they are, without a shell', async () => {
    const hostile = '$(touch pwned); `id` "quoted" *';
    const { stdout } = await runProcess([...node('process.stdout.write(process.argv[1])'), hostile], limits);
    expect(stdout.toString()).toBe(hostile);
  });

  it('gives nothing to read on standard input', async () => {
    const { stdout } = await runProcess(
      node('process.stdin.on("data",()=>{}).on("end",()=>console.log("end"))'),
      limits,
    );
    expect(stdout.toString()).toBe('end\n');
  });

  it('lets background work give way, and only that', async () => {
    const priority = async (script: string, background: boolean) =>
      Number((await runProcess(node(script), { ...limits, background })).stdout);
    const own = await priority('setTimeout(() => console.log(os.getPriority()), 500)', false);
    expect(own).toBe(getPriority());
    // It is lowered when the program runs already, on a busy machine a while later: the program looks until it is.
    const look = `const until = Date.now() + 10_000;
      setInterval(() => (os.getPriority() !== ${own} || Date.now() > until) && process.exit(console.log(os.getPriority())), 20)`;
    const lowered = await priority(look, true);
    expect(lowered).toBe(Math.max(own, 10));
  });

  it('reports an exit code with the end of standard error', async () => {
    const script = 'process.stderr.write("x".repeat(50000) + "the reason"); process.exitCode = 3';
    await expect(runProcess(node(script), { ...limits, name: 'ffmpeg' })).rejects.toMatchObject({
      failure: 'exit',
      message: 'ffmpeg ended with code 3.',
      stderr: expect.stringMatching(/^x{1,16384}the reason$/) as string,
    });
  });

  it('kills a program that takes too long, even one that ignores SIGTERM', async () => {
    const started = performance.now();
    const script = 'process.on("SIGTERM",()=>{}); setInterval(()=>{}, 1000)';
    await expect(runProcess(node(script), { ...limits, timeoutMs: 500 })).rejects.toMatchObject({
      failure: 'timeout',
    });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('kills a program that writes too much', async () => {
    const script = 'const b = Buffer.alloc(65536); (function w(){ process.stdout.write(b, w) })()';
    await expect(runProcess(node(script), limits)).rejects.toMatchObject({ failure: 'output-limit' });
  });

  it('kills the program when the work is cancelled', async () => {
    const controller = new AbortController();
    const running = runProcess(node('setInterval(()=>{}, 1000)'), { ...limits, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('cancelled')), 300);
    await expect(running).rejects.toThrow('cancelled');
    await expect(runProcess(node(''), { ...limits, signal: controller.signal })).rejects.toThrow('cancelled');
  });

  it('tells a missing program from a failed one', async () => {
    await expect(runProcess(['no-such-program-here'], limits)).rejects.toMatchObject({
      failure: 'not-startable',
    });
  });
});
