/**
 * What the specs get for `fast-check` (jest.config.js): the library itself, with the same seed in every run, so that no
 * property draws the one case in ten thousand on somebody else's change. FAST_CHECK_SEED=... looks at other cases; a
 * property that names a seed of its own keeps it.
 */
// By its path: the bare name would lead back here.
import fc from '../../node_modules/fast-check/lib/fast-check.js';

fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20261126) });

export * from '../../node_modules/fast-check/lib/fast-check.js';
export default fc;
