/**
 * npm run test:threats: which rows of the threat list (docs/THREATS.md) have tests that carry their id, and which have
 * none. Reads the tests' names; that they pass is what `npm test` and `npm run test:services` say. Rows without a test
 * are printed as unproved, never counted as passed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const rows = readFileSync(path.join(root, 'docs', 'THREATS.md'), 'utf8')
  .split('\n')
  .flatMap((line) => /^\| ([ABC]\d+) \| (.+?) \|/.exec(line) ?? [])
  .filter((_, index) => index % 3 !== 0);
const threats = new Map<string, { title: string; tests: string[] }>();
for (let index = 0; index + 1 < rows.length; index += 2) {
  threats.set(rows[index] as string, { title: rows[index + 1] as string, tests: [] });
}

const specs = ['src', 'test'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true })
    .map((name) => path.join(folder, String(name)))
    .filter((name) => name.endsWith('.spec.ts')),
);
/** These speak of the requirements C01 to C78, which share the letter with the third list of threats. */
const ABOUT_REQUIREMENTS =
  /^test\/(rls|integration\/(schema|database-context|catalog|models|migrations|connection)|services-only\/migrations)/;

for (const spec of specs) {
  const source = readFileSync(path.join(root, spec), 'utf8');
  // Names of tests and groups: the first string behind it(, test(, describe( or .each(...)(.
  for (const [, name] of source.matchAll(
    /\b(?:it|test|describe)(?:\.each\([\s\S]*?\)\s*)?\(\s*(['"`][\s\S]*?['"`])\s*,/g,
  )) {
    for (const [id] of (name ?? '').matchAll(/\b[ABC]\d+\b/g)) {
      if (id.startsWith('C') && ABOUT_REQUIREMENTS.test(spec)) continue;
      threats.get(id)?.tests.push(spec);
    }
  }
}

const proved = [...threats.values()].filter(({ tests }) => tests.length > 0).length;
for (const [id, { title, tests }] of threats) {
  const where = [...new Set(tests)];
  console.log(
    `${where.length > 0 ? 'tested  ' : 'unproved'}  ${id.padEnd(4)} ${title}${where.length > 0 ? `\n                 ${where.join('\n                 ')}` : ''}`,
  );
}
console.log(`\n${proved} of ${threats.size} rows have tests; ${threats.size - proved} are unproved.`);
