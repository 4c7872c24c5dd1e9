/** One run: start the system, customers and faults; heal; wait for rest; check the invariants. */

import type { RunningFaults } from "../faults/faults.ts";
import { startFaults } from "../faults/faults.ts";
import type { FaultKind, PlannedFault } from "../faults/plan.ts";
import type { RunningLoad } from "../load/load.ts";
import { startLoad } from "../load/load.ts";
import type { LoadMix } from "../load/load-mix.ts";
import type { RunningOperator } from "../load/operator.ts";
import { startOperator } from "../load/operator.ts";
import type { Random } from "../random.ts";
import type { Environment } from "../system/environment.ts";
import { openEnvironment } from "../system/environment.ts";
import type { Infrastructure } from "../system/infrastructure.ts";
import type { Replicas } from "../system/system-topology.ts";
import { invariants } from "../verification/invariants.ts";
import type { Report } from "../verification/report.ts";
import { find, withFindings } from "../verification/report.ts";
import { verify } from "../verification/verifier.ts";

interface ChaosOptions {
  readonly seed: number;
  readonly random: Random;
  readonly infrastructure: Infrastructure;
  /** Logs and histories are written there. */
  readonly directory: string;
  readonly replicas: Replicas;
  readonly plan: readonly PlannedFault[];
  readonly kinds: readonly FaultKind[];
  readonly orders: number;
  readonly ratePerSecond: number;
  readonly mix: LoadMix;
  /** Modules to load into every instance. */
  readonly preload: readonly string[];
  /** Longest time to rest after the last fault, in milliseconds. */
  readonly restBoundMs: number;
  /** Gives up once nothing has changed for so long, in milliseconds. Default: `restBoundMs`. */
  readonly stuckMs?: number;
  /** Least share of orders that must be accepted. */
  readonly minAccepted: number;
  /** Called twice a second with a line of progress. */
  readonly onProgress: (line: string) => void;
}

/** Owns the processes and proxies it starts, not the infrastructure. Does not reject on a violation: the report says whether it passed. */
export async function runChaos(o: ChaosOptions): Promise<Report> {
  await using environment = await openEnvironment(o);
  const { system, admin, history } = environment;
  const load = startLoad({
    url: system.orderUrl,
    history,
    orders: o.orders,
    ratePerSecond: o.ratePerSecond,
    mix: o.mix,
    random: o.random.fork("load"),
    hubUrl: o.replicas["status-hub"] > 0 ? system.hubUrl : undefined,
  });
  await using operator =
    o.replicas.inventory > 0 ? await startCatalogueOperator(environment, o) : undefined;
  const faults = startFaults(o.plan, { system, admin });
  const progress = setInterval(() => o.onProgress(progressLine(o, load, faults)), 500);
  await using _ = { [Symbol.asyncDispose]: async () => clearInterval(progress) };

  await faults.finished;
  const healedAt = performance.now();
  for (const link of system.links.values()) link.heal();
  const recovery = system
    .ready(o.restBoundMs)
    .then((late) => ({ late, readyMs: performance.now() - healedAt }));
  const { seed, restBoundMs, stuckMs, minAccepted } = o;
  const checked = await verify(environment, {
    seed,
    load,
    invariants: invariants,
    calmSince: healedAt,
    restBoundMs,
    stuckMs,
    faults,
    operator,
  });
  const { late, readyMs } = await recovery;
  const verdict = withFindings(checked, [
    find(
      "every instance recovers",
      "Every instance that runs is ready again soon after the last fault.",
      late.map((instance) => ({ instance })),
    ),
  ]);
  const { SHIPPED = 0, CANCELLED = 0 } = verdict.states;
  const accepted = (SHIPPED + CANCELLED) / o.orders;
  return {
    ...verdict,
    accepted,
    minAccepted,
    faults: faults.records,
    notRun: findNotRun(o, faults),
    readyMs,
    passed: verdict.passed && accepted >= minAccepted,
  };
}

function startCatalogueOperator(
  { system }: Environment,
  o: ChaosOptions,
): Promise<RunningOperator> {
  return startOperator({
    url: system.inventoryUrl,
    products: [...o.mix.wellStocked, ...o.mix.scarce],
    random: o.random.fork("operator"),
  });
}

function progressLine(
  { orders }: ChaosOptions,
  { progress }: RunningLoad,
  faults: RunningFaults,
): string {
  const seconds = ((performance.now() - progress.startedAt) / 1_000).toFixed(0);
  const now = [...faults.now].map(({ kind, target }) => (target ? `${kind} ${target}` : kind));
  const confirmed = progress.answers.get("CONFIRMED") ?? 0;
  return (
    `${seconds} s  sent ${progress.sent}/${orders}  answered ${progress.answered}  confirmed ${confirmed}  ` +
    `waiting ${progress.inFlight}  faults ${faults.records.length}  now: ${now.join(", ") || "none"}`
  );
}

function findNotRun({ kinds, plan }: ChaosOptions, faults: RunningFaults): Report["notRun"] {
  const done = new Set(
    faults.records.filter((one) => one.outcome === "done").map((one) => one.kind),
  );
  const why = (kind: FaultKind) => {
    const failed = faults.records.find((one) => one.kind === kind);
    if (failed) return failed.note;
    return plan.some((one) => one.kind === kind)
      ? "it was not begun"
      : "the run was too short for it";
  };
  return Object.fromEntries(
    kinds.filter((kind) => !done.has(kind)).map((kind) => [kind, why(kind)]),
  );
}
