/**
 * `kill -9` of the whole process at every point of placing an order at which something was just written or is just to be
 * done, then a new start: the order comes to its end, and was charged at most once.
 */

import { describe, expect, it } from "vitest";
import type { CrashPoint } from "@smartcart/order";
import { createTestDatabase } from "@smartcart/store/testing";
import { waitFor } from "@smartcart/testkit";
import { expectConsistent, rowsOf } from "./invariants.ts";
import { seedBody, wholeLife } from "./stack.ts";
import { choosePorts, startWhole } from "./whole-process.ts";

interface Crash {
  readonly at: CrashPoint;
  readonly paymentToken: string;
  /** How the order's history reads in the end. */
  readonly history: readonly string[];
}

const placing: readonly CrashPoint[] = [
  "receive.before-call",
  "receive.after-commit",
  "reserve.before-call",
  "reserve.after-call",
  "reserve.after-commit",
  "charge.before-call",
  "charge.after-call",
  "charge.after-commit",
  "commit.before-call",
  "commit.after-call",
  "commit.after-commit",
  "answer.before-send",
];

// A refused payment is undone by one more call, which may die as well.
const undoing: readonly CrashPoint[] = [
  "release.before-call",
  "release.after-call",
  "release.after-commit",
];

const crashes: readonly Crash[] = [
  ...placing.map((at) => ({ at, paymentToken: "tok_visa", history: wholeLife })),
  ...undoing.map((at) => ({
    at,
    paymentToken: "tok_declined",
    history: ["Order Received", "Stock Reserved", "Payment Declined"],
  })),
];

// Whole processes at once. A dead one costs nothing while its order's lease runs out.
const atOnce = 3;

describe.concurrent("kill -9 of everything", { timeout: 300_000 }, () => {
  const take = createTurns(atOnce);

  it.each(crashes)("at $at", async ({ at, paymentToken, history }) => {
    await using database = await createTestDatabase();
    const env = {
      DATABASE_URL: database.url,
      SHIPPING_DELAY_MS: "0",
      SHIPPING_LOG_FILE: "/dev/null",
    };
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { ...seedBody, userId: "survivor", paymentToken };

    await take(async () => {
      await using doomed = await startWhole({
        ...env,
        ...(await choosePorts()),
        ORDER_CRASH_AT: at,
      });
      await expect(doomed.place(body, headers)).rejects.toThrow();
      expect(await doomed.exited).toBe("SIGKILL");
    });

    await take(async () => {
      await using revived = await startWhole({ ...env, ...(await choosePorts()) });
      // The client asks again with its key until it gets the answer; 409 says that the first request is under way.
      const answer = await waitFor(
        async () => {
          const again = await revived.place(body, headers);
          return again.body.code !== "IDEMPOTENCY_KEY_IN_USE" && again;
        },
        { what: `the answer to the order that died at ${at}`, timeoutMs: 90_000, intervalMs: 100 },
      );
      const { orderId } = answer.body;
      expect(answer.status).toBe(paymentToken === "tok_visa" ? 201 : 402);
      expect(await revived.history(orderId, history.at(-1) ?? "")).toEqual(history);
      await expectConsistent(database.url);

      const { text } = await revived.place(body, headers);
      expect(text).toBe(answer.text);
      const { orders } = (await revived.get("/orders?userId=survivor")).body;
      expect(orders.map((order: { orderId: string }) => order.orderId)).toEqual([orderId]);
      expect(await ledgerOf(database.url)).toEqual(
        paymentToken === "tok_visa" ? [{ charge_id: orderId, kind: "capture" }] : [],
      );
    });
  });
});

/** What the payment provider took and gave back; a void is neither. */
function ledgerOf(databaseUrl: string) {
  return rowsOf(
    databaseUrl,
    "select charge_id, kind from payment_provider.ledger_entry where kind <> 'void'",
  );
}

/** Lets so many tasks run at once; the others wait their turn. */
function createTurns(count: number) {
  let free = count;
  const waiting: Array<() => void> = [];
  return async (task: () => Promise<void>): Promise<void> => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
