import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Threat {
  id: string;
  title: string;
  /** `full`, `part: what is missing` or `unproved: why`. */
  verdict: string;
  /** Specs with a test that carries the id in its name. */
  specs: string[];
}

/** The requirements C01 to C78 share their letter with the third list of threats, and these specs speak of them. */
const ABOUT_REQUIREMENTS = /^test\/(rls|integration|services-only)\//;

/** The rows of docs/THREATS.md with the specs of this checkout. */
export function readThreats(): Threat[] {
  const specs = ['src', 'test'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true })
      .map((name) => path.join(folder, String(name)))
      .filter((name) => name.endsWith('.spec.ts'))
      .sort()
      .map((name) => ({ name, source: readFileSync(path.join(root, name), 'utf8') })),
  );
  return threatsOf(readFileSync(path.join(root, 'docs', 'THREATS.md'), 'utf8'), specs);
}

/** @param specs paths from the root of the checkout, with their text */
export function threatsOf(list: string, specs: readonly { name: string; source: string }[]): Threat[] {
  const tested = new Map<string, Set<string>>();
  for (const { name, source } of specs) {
    for (const id of idsIn(source)) {
      if (id.startsWith('C') && ABOUT_REQUIREMENTS.test(name)) continue;
      tested.set(id, (tested.get(id) ?? new Set()).add(name));
    }
  }
  return [...list.matchAll(/^\| ([ABC]\d+) \|(.*)\|\s*$/gm)].map(([, id = '', row = '']) => {
    const [title = '', , verdict = ''] = row.split('|').map((cell) => cell.trim());
    return { id, title, verdict, specs: [...(tested.get(id) ?? [])] };
  });
}

/** Ids in names of tests and groups: the first string behind it(, test(, describe( or .each(...)(. */
function idsIn(source: string): string[] {
  const names = source.matchAll(
    /\b(?:it|test|describe)(?:\.each\([\s\S]*?\)\s*)?\(\s*(['"`][\s\S]*?['"`])\s*,/g,
  );
  return [...names].flatMap(([, name = '']) => [...name.matchAll(/\b[ABC]\d+\b/g)].map(([id]) => id));
}

export type Proof = 'full' | 'part' | 'unproved';

/** What a verdict says, or null when it is none. */
export function proofOf({ verdict }: Pick<Threat, 'verdict'>): Proof | null {
  return (/^(full)$|^(?:part|unproved)(?=: \S)/.exec(verdict)?.[0] as Proof | undefined) ?? null;
}

/** Rows whose verdict is missing, or says other than their tests. */
export function faultsOf(threats: readonly Threat[]): string[] {
  return threats.flatMap((threat) => {
    const { id, specs } = threat;
    const proof = proofOf(threat);
    if (proof === null) return [`${id} has no verdict: full, "part: what is missing" or "unproved: why"`];
    if (proof === 'unproved' && specs.length > 0)
      return [`${id} is unproved, and has tests: ${specs.join(', ')}`];
    if (proof !== 'unproved' && specs.length === 0)
      return [`${id} is said to be proved, and no test names it`];
    return [];
  });
}
