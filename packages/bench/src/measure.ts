/** One run of one contender: start, warm up, load, wait for the last shipment, check the invariants, stop. */
import { join } from "node:path";
import { checkUntilSettled, createInvariants } from "@smartcart/reconciler";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { waitFor } from "@smartcart/testkit";
import type { ContenderName } from "./contenders.ts";
import { startContender } from "./contenders.ts";
import type { Engines } from "./engines.ts";
import { load } from "./load.ts";
import type { Reading } from "./meters.ts";
import { difference, peakMemory, readMeters, topStatements } from "./meters.ts";

export interface Scenario {
  /** Products that the orders are spread over: 100, or 2 hot ones. */
  readonly products: number;
  readonly connections: number;
  /** Lines per order. */
  readonly lines: number;
}

interface MeasureOptions {
  readonly engines: Engines;
  readonly directory: string;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly seed: number;
  readonly profile: boolean;
  /** A database of that contender. Default: a new one. */
  readonly databaseUrl?: string;
  /** See `StartOptions`. */
  readonly replicas?: number;
}

export interface Measurement extends Scenario {
  readonly contender: ContenderName;
  /** Orders whose shipment is stored, over the time from the first request to the last shipment. */
  readonly ordersPerSecond: number;
  /** From the start of the processes until they took orders, in milliseconds; NaN for the peers. */
  readonly readyMs: number;
  readonly orders: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers of 400 and more, and requests without an answer. */
  readonly failed: number;
  /** The cost per order. */
  readonly perOrder: Reading;
  readonly peakMemoryBytes: number;
  /** Names of broken invariants; empty for the peers, whose data is not checked. */
  readonly broken: readonly string[];
}

export async function measure(
  contender: ContenderName,
  scenario: Scenario,
  o: MeasureOptions,
): Promise<Measurement> {
  await using running = await startContender(contender, {
    engines: o.engines,
    directory: join(o.directory, contender),
    products: Math.max(scenario.products, scenario.lines),
    profile: o.profile,
    databaseUrl: o.databaseUrl,
    replicas: o.replicas,
  });
  const { orderUrls: urls, tokensFile } = running;
  const request = { urls, tokensFile, ...scenario, seed: o.seed };
  const warmUp = await load({ ...request, seconds: o.warmUpSeconds });
  await shippedAll(running.shipped, warmUp.requests - warmUp.failed);
  const shippedBefore = await running.shipped();
  const metered = { ...running, engines: o.engines };
  const before = await readMeters(metered);
  const startedAt = performance.now();
  const result = await load({ ...request, seconds: o.seconds, seed: o.seed + 1 });
  // A request that was in flight when wrk stopped may still become an order: count every shipment.
  const accepted = result.requests - result.failed;
  const orders = (await shippedAll(running.shipped, shippedBefore + accepted)) - shippedBefore;
  const elapsedMs = performance.now() - startedAt;
  const cost = difference(before, await readMeters(metered));
  if (o.profile && running.databaseUrl)
    process.stdout.write(`${await topStatements(running.databaseUrl)}\n`);
  return {
    contender,
    ...scenario,
    readyMs: running.readyMs ?? Number.NaN,
    orders,
    ordersPerSecond: orders / (elapsedMs / 1_000),
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    failed: result.failed + result.broken,
    perOrder: over(cost, orders),
    peakMemoryBytes: await peakMemory(running.processes),
    broken: await brokenPromises(contender, running.databaseUrl),
  };
}

/** Waits until so many are shipped, and returns how many are. */
async function shippedAll(shipped: () => Promise<number>, expected: number): Promise<number> {
  let count = 0;
  await waitFor(
    async () => {
      count = await shipped();
      return count >= expected;
    },
    { timeoutMs: 120_000, intervalMs: 50, what: `${expected} shipments` },
  );
  return count;
}

function over(cost: Reading, orders: number): Reading {
  const cpuMs = Object.entries(cost.cpuMs).map(([name, ms]) => [name, ms / orders] as const);
  return {
    cpuMs: Object.fromEntries(cpuMs),
    transactions: cost.transactions / orders,
    statements: cost.statements / orders,
    rows: cost.rows / orders,
    walBytes: cost.walBytes / orders,
    messages: cost.messages / orders,
  };
}

async function brokenPromises(
  contender: ContenderName,
  url: string | undefined,
): Promise<readonly string[]> {
  if (contender === "seed" || contender === "durable" || url === undefined) return [];
  await using database = createDatabase({ url, schema: "public", log: silentLogger });
  const violations = await checkUntilSettled(database, createInvariants({ settleMs: 0 }), {
    patienceMs: 30_000,
  });
  return violations.map(({ invariant, rows }) => `${invariant.name} (${rows.length})`);
}
