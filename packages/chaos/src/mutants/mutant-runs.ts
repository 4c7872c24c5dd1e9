/** For each mutant the short run that exposes it, and the invariant that it breaks. */
import { join } from "node:path";
import type { PlannedFault } from "../faults/plan.ts";
import type { LoadMix } from "../load/load-mix.ts";
import { solventMix } from "../load/load-mix.ts";
import { createRandom } from "../random.ts";
import { runChaos } from "../scenarios/run-chaos.ts";
import type { Infrastructure } from "../system/infrastructure.ts";
import { shareInfrastructure } from "../system/share-infrastructure.ts";
import type { Replicas } from "../system/system-topology.ts";
import type { Report } from "../verification/report.ts";
import type { MutantName } from "./patches.ts";

/** What a mutant's run has beyond the calm defaults of this file: one instance per service, payments that succeed, no faults. */
export interface MutantRun {
  /** Name of the invariant that must be broken; others may be as well. */
  readonly breaks: string;
  readonly faults: readonly Pick<PlannedFault, "kind" | "target" | "atMs" | "durationMs">[];
  readonly mix: Partial<LoadMix>;
  readonly replicas: Partial<Replicas>;
}

const orders = 60;
const ratePerSecond = 30;

const one: Replicas = {
  inventory: 1,
  payment: 1,
  shipping: 1,
  order: 1,
  notification: 1,
  "status-hub": 0,
  log: 0,
  smartcart: 0,
};

const calmMix: LoadMix = {
  ...solventMix,
  wellStocked: ["espresso-beans", "filter-beans", "paper-filters"],
  cancelShare: 0,
  watchShare: 0,
};

const fault = (
  kind: PlannedFault["kind"],
  target: string,
  atMs: number,
  durationMs: number,
): MutantRun["faults"][number] => ({ kind, target, atMs, durationMs });

/** The least disturbance that exposes each mutant. */
export const mutantRuns: Readonly<Record<MutantName, MutantRun>> = {
  "copies-count": {
    breaks: "announced once",
    faults: [fault("duplicate", "", 1_500, 0), fault("duplicate", "", 2_500, 0)],
    mix: {},
    replicas: {},
  },
  // Both processes wait for the lock after they have read the stock.
  "no-compare-and-set": {
    breaks: "stock is what is reserved",
    faults: [
      fault("lock", "inventory.stock", 600, 700),
      fault("lock", "inventory.reservation", 1_500, 700),
    ],
    mix: { wellStocked: ["espresso-beans"] },
    replicas: { inventory: 2, order: 2 },
  },
  // The process dies while its effect waits for the lock.
  "ack-before-commit": {
    breaks: "no message is lost",
    faults: [
      fault("lock", "shipping.shipment", 500, 6_000),
      fault("kill-process", "shipping-1", 5_500, 200),
    ],
    mix: {},
    replicas: {},
  },
  // What was claimed and not confirmed lies behind the cursor.
  "cursor-relay": {
    breaks: "outboxes are empty",
    faults: [
      fault("reset", "notification-1→broker", 700, 1_000),
      fault("cancel-consumer", "notification-1", 1_200, 0),
      fault("reset", "notification-1→database", 1_900, 500),
    ],
    mix: {},
    replicas: { order: 2 },
  },
  "release-on-timeout": {
    breaks: "no payment without an order",
    faults: [],
    mix: { tokens: { tok_visa: 3, tok_timeout: 1 } },
    replicas: {},
  },
  "new-charge-id": {
    breaks: "charged at most once",
    faults: [],
    mix: { tokens: { tok_visa: 3, tok_timeout: 1 } },
    replicas: {},
  },
};

/** The product as it is, with the faults of all mutants: it must break nothing. */
export const controlRun: MutantRun = {
  breaks: "",
  faults: Object.values(mutantRuns).flatMap(({ faults }) => faults),
  mix: { tokens: { tok_visa: 3, tok_timeout: 1 } },
  replicas: { inventory: 2, order: 2 },
};

interface MutantOptions {
  /** Undefined: the product as it is, under the same conditions. */
  readonly mutant: MutantName | undefined;
  readonly run: MutantRun;
  readonly infrastructure: Infrastructure;
  readonly directory: string;
}

let runs = 0;

/** Runs a mutant on a database and a virtual host of its own. */
export async function runMutant({ mutant, run, ...o }: MutantOptions): Promise<Report> {
  runs++;
  const name = `run_${runs}`;
  const mutate = new URL("./mutate.ts", import.meta.url);
  return runChaos({
    seed: 1,
    random: createRandom(1),
    infrastructure: await shareInfrastructure(o.infrastructure, name),
    directory: join(o.directory, name),
    replicas: { ...one, ...run.replicas },
    plan: run.faults.map((planned) => ({ ...planned, variant: 0 })),
    kinds: [],
    orders,
    ratePerSecond,
    mix: { ...calmMix, ...run.mix },
    preload: mutant === undefined ? [] : [`${mutate.href}?${mutant}`],
    restBoundMs: 60_000,
    // Most mutants never come to rest; give up when nothing has changed for so long.
    stuckMs: 6_000,
    minAccepted: 0,
    onProgress: () => {},
  });
}
