import '../../scripts/typescript-hooks.mjs';

const { default: globalTeardown } = await import('./global-teardown.ts');
export default globalTeardown;
