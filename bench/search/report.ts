import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { PROJECT_DIR } from './data/cluster.js';

export type Cell = string | number | null;
export type Row = Record<string, Cell>;

/** A target of the issue and what came out. */
export interface Goal {
  name: string;
  limit: string;
  measured: string;
  isMet: boolean;
}

/** Collects sections of Markdown, prints each as soon as it is there and writes all into one file at the end. */
export class Report {
  readonly goals: Goal[] = [];
  private readonly parts: string[] = [];

  heading(title: string, text = ''): void {
    this.push(`\n## ${title}\n${text === '' ? '' : `\n${text}\n`}`);
  }

  text(text: string): void {
    this.push(`\n${text}\n`);
  }

  table(rows: readonly Row[]): void {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
    const isNumeric = (column: string): boolean =>
      rows.every(
        (row) => typeof (row[column] ?? 0) === 'number' || /^[-\d.,+% /x]*$/.test(String(row[column])),
      );
    this.push(
      [
        '',
        line(columns),
        line(columns.map((column) => (isNumeric(column) ? '---:' : '---'))),
        ...rows.map((row) => line(columns.map((column) => String(row[column] ?? '')))),
        '',
      ].join('\n'),
    );
  }

  goal(
    name: string,
    measured: number,
    limit: number,
    unit: string,
    wants: 'at most' | 'at least' = 'at most',
  ): void {
    const isMet = wants === 'at most' ? measured <= limit : measured >= limit;
    this.goals.push({
      name,
      limit: `${wants} ${limit}${unit}`,
      measured: `${round(measured)}${unit}`,
      isMet,
    });
  }

  goalTable(): void {
    this.heading('Goals');
    this.table(
      this.goals.map(({ name, limit, measured, isMet }) => ({
        goal: name,
        wanted: limit,
        measured,
        result: isMet ? 'met' : '**missed**',
      })),
    );
  }

  /** @returns the path of the file */
  write(folder: string, name: string): string {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, name);
    writeFileSync(path, `${this.parts.join('').trim()}\n`);
    return path;
  }

  title(text: string): void {
    this.push(`# ${text}\n`);
  }

  private push(markdown: string): void {
    this.parts.push(markdown);
    console.log(markdown.replace(/\n$/, ''));
  }
}

/** Three digits that matter: 0.0123, 1.23, 12.3, 123. */
export function round(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toFixed(Math.min(digits, 4)));
}

/** Date, commit, machine and versions. */
export async function machineFacts(adminUrl: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const { rows } = await client.query<Record<string, string>>(
    `SELECT current_setting('server_version') AS postgres,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS pgvector,
       current_setting('shared_buffers') AS buffers`,
  );
  await client.end();
  const [cpu] = cpus();
  const facts: [string, string][] = [
    ['date', new Date().toISOString().slice(0, 16).replace('T', ' ')],
    ['commit', commit()],
    [
      'machine',
      `${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    ],
    [
      'load average before',
      loadavg()
        .map((load) => load.toFixed(1))
        .join(' '),
    ],
    [
      'software',
      `Node ${process.versions.node}, PostgreSQL ${rows[0]!.postgres}, pgvector ${rows[0]!.pgvector}`,
    ],
    ['shared_buffers', rows[0]!.buffers!],
  ];
  return facts.map(([fact, value]) => ({ fact, value }));
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: PROJECT_DIR,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' with changes'}`;
  } catch {
    return 'not a git checkout';
  }
}
