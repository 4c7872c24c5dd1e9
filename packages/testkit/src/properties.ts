/** Options for properties of fast-check, so that each failure names its seed and can be run again. */
import fc from "fast-check";

/** Bounds of a property test. */
export interface PropertyOptions {
  /** Runs when nothing fails. Default: fast-check's, 100. */
  readonly numRuns?: number;
  /** When to stop, runs and shrinking together, in milliseconds; below the time-out of the test. Default 20,000. */
  readonly limitMs?: number;
}

/**
 * What `fc.assert` takes as its second argument. A failure prints `seed` and `path`; `FC_SEED` and `FC_PATH` in the
 * environment run just that case again. `FC_RUNS` searches longer: so many runs, and no limit of time.
 */
export function propertyOptions(options: PropertyOptions = {}) {
  const { FC_SEED, FC_PATH, FC_RUNS } = process.env;
  const numRuns = FC_RUNS ? Number(FC_RUNS) : options.numRuns;
  return {
    ...(numRuns !== undefined && { numRuns }),
    ...(FC_SEED && { seed: Number(FC_SEED) }),
    // A path leads to a case that is small already.
    ...(FC_PATH && { path: FC_PATH, endOnFailure: true }),
    plugins: FC_RUNS ? [] : withinLimit(options.limitMs ?? 20_000),
  };
}

/**
 * What `fc.commands` takes as its second argument. Which commands of a list were run decides how it shrinks, so a
 * failure prints a `replayPath` as well, which `FC_REPLAY` gives back.
 */
export function commandsOptions(options: { readonly maxCommands: number }) {
  const { FC_REPLAY } = process.env;
  return { ...options, ...(FC_REPLAY && { replayPath: FC_REPLAY }) };
}

/**
 * The test runner's own time-out would end the test without a seed. So a run that hangs fails by itself, and
 * shrinking ends in time with the smallest case so far.
 */
function withinLimit(limitMs: number) {
  return [fc.interruptAfterTimeLimit(limitMs), fc.timeout(limitMs / 2)];
}
