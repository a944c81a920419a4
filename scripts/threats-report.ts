/**
 * npm run test:threats: which rows of the threat list (docs/THREATS.md) have tests that carry their id, how much of each
 * these prove, and which have none and why. Reads the tests' names; that they pass is what `npm test` and
 * `npm run test:services` say. Ends with status 1 when a row's verdict is missing or not borne out by its tests.
 */
import { faultsOf, proofOf, readThreats } from './threats.js';

const threats = readThreats();
const count = (proof: string): number => threats.filter((threat) => proofOf(threat) === proof).length;

for (const { id, title, verdict, specs } of threats.filter((threat) => proofOf(threat) !== 'unproved')) {
  console.log(`${id.padEnd(4)} ${title}\n       ${verdict}`);
  for (const spec of specs) console.log(`         ${spec}`);
}
console.log('\nUnproved:');
for (const { id, title, verdict } of threats.filter((threat) => proofOf(threat) === 'unproved')) {
  console.log(`${id.padEnd(4)} ${title}\n       ${verdict.replace(/^unproved: /, '')}`);
}
console.log(
  `\nOf ${threats.length} rows ${count('full')} are proved in full, ${count('part')} in part; ${count('unproved')} are unproved.`,
);
const faults = faultsOf(threats);
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
