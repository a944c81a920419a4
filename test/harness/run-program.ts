import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs one of the project's TypeScript programs as its npm script does.
 * @param hooks the module that lets Node read the sources, as in package.json
 * @param env beside the environment of the tests
 * @returns its exit code and all that it printed
 */
export function runProgram(
  hooks: string,
  file: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-warnings', '--import', hooks, file, ...args], {
      cwd: PROJECT_DIR,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
