/** The end of every scenario: waits for the last customers and for rest, then checks the invariants. */
import type { Database } from "@smartcart/store";
import type { RunningFaults } from "../faults/faults.ts";
import { gatherFacts } from "../load/client-evidence.ts";
import type { RunningLoad } from "../load/load.ts";
import type { RunningOperator } from "../load/operator.ts";
import { countBy, percentiles } from "../numbers.ts";
import { openAdminDatabase } from "../system/admin-database.ts";
import type { Environment } from "../system/environment.ts";
import { storeFacts } from "./facts.ts";
import { traceOrders } from "./order-trace.ts";
import type { Finding, Verdict } from "./report.ts";
import { waitForRest } from "./settle.ts";

/** An invariant, and the query that returns the rows that contradict it. */
interface CheckedInvariant {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

interface VerifierOptions {
  readonly seed: number;
  readonly load: RunningLoad;
  readonly invariants: readonly CheckedInvariant[];
  /** When the last disturbance was over, by `performance.now()`. */
  readonly calmSince: number;
  /** Longest time to rest after that, or after the last new customer, in milliseconds. */
  readonly restBoundMs: number;
  /** Gives up once nothing has changed for so long, in milliseconds. Default: `restBoundMs`. */
  readonly stuckMs?: number | undefined;
  readonly faults?: RunningFaults;
  /** Is stopped after the last new customer. Default: products do not change. */
  readonly operator?: RunningOperator | undefined;
}

/**
 * Waits for the last answers and for rest, at most `restBoundMs`, and checks the invariants. Customers without an answer by then
 * give up and are reported as violations. Does not reject on a violation; the verdict passes only if the system came to rest.
 */
export async function verify(environment: Environment, o: VerifierOptions): Promise<Verdict> {
  const { load, restBoundMs } = o;
  const { progress, findings } = load;
  // The bound counts from the last disturbance or the last new customer, whichever is later.
  await load.allSent;
  await o.operator?.stop();
  const calmAt = Math.max(o.calmSince, progress.lastSentAt);
  const leftMs = () => Math.max(0, calmAt + restBoundMs - performance.now());
  const patience = setTimeout(load.giveUp, leftMs());
  await load.finished;
  clearTimeout(patience);
  const loadMs = performance.now() - progress.startedAt;

  await using database = openAdminDatabase(environment.system.infrastructure);
  const rest = await waitForRest(database, environment.admin, {
    boundMs: leftMs(),
    stuckMs: o.stuckMs ?? restBoundMs,
  });
  const restMs = performance.now() - calmAt;
  const sightings = await load.sightings();
  const { messagesWaiting } = rest;
  const { faults, operator } = o;
  await storeFacts(
    database,
    await gatherFacts({ environment, findings, sightings, messagesWaiting, faults, operator }),
  );
  const found = await lookInto(database, o.invariants);
  const violations = found.filter(({ count }) => count > 0);
  return {
    seed: o.seed,
    orders: progress.sent,
    loadMs,
    answers: Object.fromEntries(progress.answers),
    unknown: countBy(findings.repeated.flatMap(({ reasons }) => reasons)),
    states: await countStates(database),
    waitedMs: percentiles(findings.placed.flatMap(({ answer }) => answer?.tookMs ?? [])),
    restMs,
    restBoundMs,
    watched: sightings.length,
    resyncs: sightings.reduce((sum, { resyncs }) => sum + resyncs, 0),
    reconnects: sightings.reduce((sum, { connections }) => sum + connections - 1, 0),
    replays: findings.replays.length,
    gaveUp: environment.system.gaveUp,
    invariants: o.invariants.map(({ name }) => name),
    violations,
    traces: await traceOrders(database, violations, environment.history),
    passed: violations.length === 0 && rest.isComplete,
  };
}

async function lookInto(
  database: Database,
  invariants: readonly CheckedInvariant[],
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { name, description, sql } of invariants) {
    const { rows } = await database.query<object>({ text: sql });
    found.push({ invariant: name, description, count: rows.length, rows: rows.slice(0, 20) });
  }
  return found;
}

async function countStates(database: Database): Promise<Record<string, number>> {
  const { rows } = await database.query<{ state: string; count: number }>({
    text: "select state, count(*)::int as count from orders.orders group by state",
  });
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}
