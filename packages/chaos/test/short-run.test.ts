/** A short chaos run as `npm run chaos` does it, with engines of its own: they are killed and stopped. */
import { join } from "node:path";
import { expect, it } from "vitest";
import type { FaultKind } from "../src/faults/plan.ts";
import { createPlan, faultKinds } from "../src/faults/plan.ts";
import { usualMix } from "../src/load/load-mix.ts";
import { createRandom } from "../src/random.ts";
import { runChaos } from "../src/scenarios/run-chaos.ts";
import { fullReplicas } from "../src/system/system-topology.ts";
import { formatReport, summarize } from "../src/verification/report.ts";
import { canRunChaos, openRig, say } from "./rig.ts";

// This seed's plan has every kind of fault within the time of so few orders.
const seed = 441;
const orders = 364;
const ratePerSecond = 13;
const kinds = Object.keys(faultKinds) as FaultKind[];

function planFor(random: ReturnType<typeof createRandom>) {
  const spanMs = (orders / ratePerSecond) * 1_000;
  return createPlan({ random: random.fork("faults"), kinds, spanMs, replicas: fullReplicas });
}

it("plans every kind of fault", () => {
  const planned = new Set(planFor(createRandom(seed)).map(({ kind }) => kind));
  expect([...planned].sort()).toEqual([...kinds].sort());
});

it.skipIf(!(await canRunChaos()))(
  "every invariant holds under every kind of fault",
  { timeout: 300_000 },
  async () => {
    await using rig = await openRig();
    const random = createRandom(seed);
    const report = await runChaos({
      seed,
      random,
      infrastructure: rig.infrastructure,
      directory: join(rig.directory, "run"),
      replicas: fullReplicas,
      plan: planFor(random),
      kinds,
      orders,
      ratePerSecond,
      mix: usualMix,
      preload: [],
      restBoundMs: 60_000,
      minAccepted: 0.6,
      onProgress: () => {},
    });
    say(summarize(report));
    expect(report.passed, formatReport(report)).toBe(true);
  },
);
