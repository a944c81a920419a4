/**
 * npm run validate-env (C62): prints every variable with its state, secrets without their values, and every fault.
 * Ends with status 1 when there is one.
 */
import { ConfigurationError, environmentSchema, loadConfig } from '../src/infrastructure/config/config.js';

const SECRET = /PASSWORD|SECRET|KEY|_URL$|TOKEN/;

let faults: { variable: string; message: string }[] = [];
try {
  loadConfig();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  faults = error.faults;
}

for (const [name, schema] of Object.entries(environmentSchema.shape)) {
  const given = process.env[name]?.trim();
  const fault = faults.find(({ variable }) => variable === name);
  const fallback = schema.safeParse(undefined);
  const state = given
    ? SECRET.test(name)
      ? 'set'
      : `set: ${given}`
    : fallback.success && fallback.data !== undefined
      ? `default: ${String(fallback.data)}`
      : 'not set';
  console.log(
    `${fault ? 'FAULT' : 'ok   '} ${name.padEnd(30)} ${state}${fault ? `  <- ${fault.message}` : ''}`,
  );
}
console.log(
  faults.length === 0 ? 'The configuration is valid.' : `${faults.length} faults. See .env.example.`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
