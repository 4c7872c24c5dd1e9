import { delay } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { Invariant } from "./invariant.ts";

/** An invariant that does not hold, with the rows that contradict it. */
export interface Violation {
  readonly invariant: Invariant;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

const longestQueryMs = 600_000;

/** The violations at one moment: all queries see the same snapshot. Reads every order that they select. */
export function check(
  database: Database,
  invariants: readonly Invariant[],
): Promise<readonly Violation[]> {
  return withTransaction(database, "reconciler.check", async (tx) => {
    await tx.query({ text: "set transaction isolation level repeatable read, read only" });
    // A query that reads every order takes longer than the limits for a service's statements, on the server and in the client.
    await tx.query({ text: `set local statement_timeout = ${longestQueryMs}` });
    const violations: Violation[] = [];
    for (const invariant of invariants) {
      const { rows } = await tx.query<Record<string, unknown>>({
        text: invariant.sql,
        timeoutMs: longestQueryMs,
      });
      if (rows.length > 0) violations.push({ invariant, rows });
    }
    return violations;
  });
}

/** How a check distinguishes a violation from an order in progress. */
export interface CheckOptions {
  /** Time that a row must violate an invariant before it counts, in milliseconds. */
  readonly patienceMs: number;
  /** Pause between two checks, in milliseconds. Default 1,000. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * The violations that persist. Orders in progress are always between two steps, so a row counts only
 * if every check within `patienceMs` has found it. Returns immediately if there is no violation.
 */
export async function checkUntilSettled(
  database: Database,
  invariants: readonly Invariant[],
  { patienceMs, intervalMs = 1_000, signal }: CheckOptions,
): Promise<readonly Violation[]> {
  const until = performance.now() + patienceMs;
  let standing = await check(database, invariants);
  while (standing.length > 0 && performance.now() < until) {
    await delay(intervalMs, signal);
    const doubtful = standing.map(({ invariant }) => invariant);
    standing = common(standing, await check(database, doubtful));
  }
  return standing;
}

function common(before: readonly Violation[], now: readonly Violation[]): Violation[] {
  return now.flatMap(({ invariant, rows }) => {
    const known = before.find((one) => one.invariant === invariant);
    const ids = new Set(known?.rows.map(subjectOf));
    const still = rows.filter((row) => ids.has(subjectOf(row)));
    return still.length > 0 ? [{ invariant, rows: still }] : [];
  });
}

/** The key of a row's subject: two checks may find the same subject with other numbers. */
export function subjectOf(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify([row.message_id, row.order_id, row.product_id]);
}
