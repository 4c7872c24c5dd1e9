/** The end of every scenario: waits for the last customers and for rest, and holds the invariants against what is there. */
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

/** An invariant, and the query that answers what contradicts it. */
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
  /** Gives up earlier where nothing has changed for so long, in milliseconds. Default: it does not. */
  readonly stuckMs?: number | undefined;
  readonly faults?: RunningFaults;
  /** Ends when no new customer comes. Default: nobody changes products. */
  readonly operator?: RunningOperator | undefined;
}

export async function verify(stage: Environment, o: VerifierOptions): Promise<Verdict> {
  const { load, restBoundMs } = o;
  const { progress, findings } = load;
  // The dust settles from the last disturbance or the last new customer on, whichever is later; nobody waits longer than that.
  await load.allSent;
  await o.operator?.stop();
  const calmAt = Math.max(o.calmSince, progress.lastSentAt);
  const leftMs = () => Math.max(0, calmAt + restBoundMs - performance.now());
  const patience = setTimeout(load.giveUp, leftMs());
  await load.finished;
  clearTimeout(patience);
  const loadMs = performance.now() - progress.startedAt;

  await using database = openAdminDatabase(stage.system.infrastructure);
  const rest = await waitForRest(database, stage.admin, {
    boundMs: leftMs(),
    stuckMs: o.stuckMs ?? restBoundMs,
  });
  const restMs = performance.now() - calmAt;
  const sightings = await load.sightings();
  const { messagesWaiting } = rest;
  const { faults, operator } = o;
  await storeFacts(
    database,
    await gatherFacts({ stage, findings, sightings, messagesWaiting, faults, operator }),
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
    gaveUp: stage.system.gaveUp,
    invariants: o.invariants.map(({ name }) => name),
    violations,
    stories: await traceOrders(database, violations, stage.history),
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
