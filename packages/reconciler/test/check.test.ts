/** Which rows count while a shop is open, and what is done about them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import type { Invariant, ReconcilerPeers } from "../src/index.ts";
import { checkUntilSettled, createReconciler } from "../src/index.ts";

const nothingOdd: Invariant = {
  name: "nothing odd",
  description: "There is no odd row.",
  sql: "select id as order_id, seen from odd order by id",
  repair: "refund",
};
const nothingElse: Invariant = {
  name: "nothing else",
  description: "There is no other row.",
  sql: "select id as product_id from other",
};

const running = new AsyncDisposableStack();
let database: Database;
beforeAll(async () => {
  const { url } = running.use(await createTestDatabase());
  database = running.use(createDatabase({ url, schema: "odds", log: silentLogger }));
  await database.query({ text: "create schema odds" });
  await database.query({ text: "create table odds.odd (id text, seen int default 0)" });
  await database.query({ text: "create table odds.other (id text)" });
});
afterAll(() => running.disposeAsync());
beforeEach(async () => {
  await database.query({ text: "truncate odds.odd, odds.other" });
});

const insert = (...ids: string[]) =>
  database.query({ text: "insert into odds.odd select unnest($1::text[])", values: [ids] });

/** Looks three times; `between` runs after each look but the last. */
async function look(between: (look: number) => Promise<unknown>) {
  let looks = 0;
  const watched: Invariant = {
    ...nothingOdd,
    // Each look asks once; what is changed here is seen by the next one.
    get sql() {
      looks += 1;
      return nothingOdd.sql;
    },
  };
  const stop = new AbortController();
  const changes = (async () => {
    for (let seen = 0; seen < 2; ) {
      if (looks > seen) {
        seen = looks;
        await between(seen);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (stop.signal.aborted) return;
    }
  })();
  const violations = await checkUntilSettled(database, [watched, nothingElse], {
    patienceMs: 2_500,
    intervalMs: 250,
  });
  stop.abort();
  await changes;
  return violations.map(({ invariant, rows }) => [
    invariant.name,
    rows.map((row) => row.order_id ?? row.product_id),
  ]);
}

describe("checkUntilSettled", () => {
  it("answers at once where nothing contradicts", async () => {
    const options = { patienceMs: 3_600_000 };
    expect(await checkUntilSettled(database, [nothingOdd, nothingElse], options)).toEqual([]);
  });

  it("counts what stays, whatever else comes and goes", async () => {
    await insert("stays", "goes");
    await database.query({ text: "insert into odds.other values ('goes too')" });
    const violations = await look(async () => {
      await database.query({ text: "delete from odds.odd where id <> 'stays'" });
      await database.query({ text: "update odds.odd set seen = seen + 1" });
      await database.query({ text: "truncate odds.other" });
      await insert("new");
    });
    expect(violations).toEqual([["nothing odd", ["stays"]]]);
  });
});

describe("a reconciler", () => {
  const refunds: string[] = [];
  const peers: ReconcilerPeers = {
    inventory: { releaseReservation: () => Promise.reject(new Error("not asked for")) },
    payment: {
      async refundPayment({ orderId = "" }) {
        if (orderId === "away") throw new Error("payment does not answer");
        refunds.push(orderId);
        return {} as never;
      },
    },
  };
  const create = () =>
    createReconciler({
      database,
      invariants: [nothingOdd, nothingElse],
      peers,
      check: { patienceMs: 0 },
      log: silentLogger,
    });

  it("reports without touching anything", async () => {
    await insert("one");
    const findings = await create().report();
    expect(findings).toMatchObject([{ invariant: { name: "nothing odd" }, repairs: [] }]);
    expect(refunds).toEqual([]);
  });

  it("repairs what it can, and goes on after what it cannot", async () => {
    await insert("away", "one");
    await database.query({ text: "insert into odds.other values ('for a person')" });
    const findings = await create().reconcile();
    expect(refunds).toEqual(["one"]);
    expect(findings.map(({ repairs }) => repairs)).toEqual([
      [
        { repair: "refund", orderId: "away", problem: "payment does not answer" },
        { repair: "refund", orderId: "one" },
      ],
      [],
    ]);
  });
});
