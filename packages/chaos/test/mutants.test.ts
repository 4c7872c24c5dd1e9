/** Tests the harness: each known mistake, patched into the product, must break its invariant. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MutantRun } from "../src/mutants/mutant-runs.ts";
import { controlRun, mutantRuns, runMutant } from "../src/mutants/mutant-runs.ts";
import type { MutantName } from "../src/mutants/patches.ts";
import { formatReport, summarize } from "../src/verification/report.ts";
import type { Rig } from "./rig.ts";
import { canRunChaos, openRig, say } from "./rig.ts";

const mutants = Object.entries(mutantRuns) as [MutantName, MutantRun][];

describe.skipIf(!(await canRunChaos()))("mutants", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]();
  });

  describe.concurrent("at the same time", () => {
    // Whether a mistake shows depends on timing: on a busy machine it may need another try.
    it.for(mutants)("%s is caught", { retry: 2, timeout: 300_000 }, async ([mutant, run]) => {
      const report = await runMutant({ mutant, run, ...rig });
      const broken = report.violations.map(({ invariant }) => invariant);
      expect(broken, formatReport(report)).toContain(run.breaks);
    });

    it("the product passes under the faults of all of them", { timeout: 300_000 }, async () => {
      const report = await runMutant({ mutant: undefined, run: controlRun, ...rig });
      say(summarize(report));
      expect(report.passed, formatReport(report)).toBe(true);
    });
  });
});
