/**
 * Runs as a process of its own beside the tests, and outlives them by a moment.
 *
 * Its standard input is a pipe from the test process, which reports each service it starts and stops, one JSON
 * object a line. However the test process ends (also by SIGKILL), the kernel closes the pipe; whatever is still on
 * the list is then stopped by its process id and its folder removed. Only `node:` imports: it runs without a build.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

interface Guarded {
  folder: string;
  pidFile: string;
  processName: string;
}

const guarded = new Map<string, Guarded>();

/** The id in the pid file, if that process still runs and is the service, not a stranger with the same number. */
function runningPid({ pidFile, processName }: Guarded): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    const state = execFileSync('ps', ['-o', 'stat=', '-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' });
    return state.includes(processName) && !state.startsWith('Z') ? pid : undefined;
  } catch {
    return undefined;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as { add?: Guarded; remove?: string };
  if (message.add) guarded.set(message.add.folder, message.add);
  if (message.remove) guarded.delete(message.remove);
}

// SIGQUIT ends PostgreSQL at once together with its children; the others are killed.
for (const service of guarded.values()) {
  const pid = runningPid(service);
  if (pid) process.kill(pid, service.processName === 'postgres' ? 'SIGQUIT' : 'SIGKILL');
}
for (const service of guarded.values()) {
  for (let waited = 0; waited < 50 && runningPid(service); waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const pid = runningPid(service);
  if (pid) process.kill(pid, 'SIGKILL');
  rmSync(service.folder, { recursive: true, force: true });
}
