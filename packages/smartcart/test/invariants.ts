/** What must be true of the database once everything is at rest, whatever happened before: the promises that `smartcart doctor` checks. */

import { expect } from "vitest";
import { check, createInvariants } from "@smartcart/reconciler";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { waitFor } from "@smartcart/testkit";

/** By the name of a promise: the rows that contradict it now. Empty where everything holds and nothing is on its way. */
export async function contradictions(databaseUrl: string): Promise<Record<string, unknown[]>> {
  await using database = open(databaseUrl);
  const violations = await check(database, createInvariants({ settleMs: 0 }));
  return Object.fromEntries(violations.map(({ invariant, rows }) => [invariant.name, [...rows]]));
}

/** Waits until every order is at rest, then expects that everything holds. */
export async function expectConsistent(databaseUrl: string): Promise<void> {
  const settled = waitFor(async () => Object.keys(await contradictions(databaseUrl)).length === 0, {
    timeoutMs: 20_000,
    intervalMs: 100,
  });
  // Not the time-out is worth showing, but what still contradicts.
  await settled.catch(() => {});
  expect(await contradictions(databaseUrl)).toEqual({});
}

/** Rows of a statement, for what only the database can tell. */
export async function rowsOf<R extends object>(
  databaseUrl: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  await using database = open(databaseUrl);
  return (await database.query<R>({ text, values })).rows;
}

function open(url: string): Database {
  return createDatabase({ url, schema: "orders", log: silentLogger });
}
