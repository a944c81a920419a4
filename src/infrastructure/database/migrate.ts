import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

/**
 * Runs a Prisma CLI command against a database, with the migrations of this checkout.
 * @param args for example ['migrate', 'deploy']
 * @returns what the command printed
 * @throws Error with its output when it fails
 */
export async function runPrismaCli(args: string[], databaseUrl: string, projectDir: string): Promise<string> {
  const cli = path.join(
    path.dirname(createRequire(import.meta.url).resolve('prisma/package.json')),
    'build',
    'index.js',
  );
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: projectDir,
    env: {
      ...process.env,
      DATABASE_MIGRATION_URL: databaseUrl,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
      NODE_OPTIONS: '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`prisma ${args.join(' ')} failed:\n${output.trim()}`);
  return output;
}
