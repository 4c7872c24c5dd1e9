/**
 * `kill -9` of the whole process at every point of placing and of cancelling an order at which something was just written
 * or is just to be done, then a new start: the order comes to its end, and was charged at most once.
 */

import { describe, expect, it } from "vitest";
import type { CrashPoint } from "@smartcart/order";
import { createSemaphore } from "@smartcart/runtime";
import { createTestDatabase, waitFor } from "@smartcart/testkit";
import { expectConsistent, rowsOf } from "./invariants.ts";
import { cancelledLife, seedBody, wholeLife } from "./stack.ts";
import { choosePorts, spawnWhole, startWhole } from "./whole-process.ts";

/** What is done to the order: it is paid, its card is refused, it is cancelled once it is confirmed. */
type Story = "placing" | "declined" | "cancelling";

interface Crash {
  readonly at: CrashPoint;
  readonly paymentToken: string;
  /** How the order's history reads in the end. */
  readonly history: readonly string[];
}

// By point: the stories in which it is reached. A point that is new to the order service does not compile until it is here.
const stories: Readonly<Record<CrashPoint, readonly Story[]>> = {
  "receive.before-call": ["placing"],
  "receive.after-commit": ["placing"],
  "reserve.before-call": ["placing"],
  "reserve.after-call": ["placing"],
  "reserve.after-commit": ["placing"],
  "charge.before-call": ["placing"],
  "charge.after-call": ["placing"],
  "charge.after-commit": ["placing"],
  "commit.before-call": ["placing"],
  "commit.after-call": ["placing"],
  "commit.after-commit": ["placing"],
  "answer.before-send": ["placing"],
  "stop-shipment.before-call": ["cancelling"],
  "stop-shipment.after-call": ["cancelling"],
  "stop-shipment.after-commit": ["cancelling"],
  "refund.before-call": ["cancelling"],
  "refund.after-call": ["cancelling"],
  "refund.after-commit": ["cancelling"],
  "release.before-call": ["declined", "cancelling"],
  "release.after-call": ["declined", "cancelling"],
  "release.after-commit": ["declined", "cancelling"],
};

const pointsOf = (story: Story): CrashPoint[] =>
  (Object.keys(stories) as CrashPoint[]).filter((at) => stories[at].includes(story));

const crashes: readonly Crash[] = [
  ...pointsOf("placing").map((at) => ({ at, paymentToken: "tok_visa", history: wholeLife })),
  ...pointsOf("declined").map((at) => ({
    at,
    paymentToken: "tok_declined",
    history: ["Order Received", "Stock Reserved", "Payment Declined"],
  })),
];

const espresso = "espresso-beans";

// Every attempt to start a shipment fails, so that it is not too late to cancel.
const heldShipments = { SHIPPING_FAILURE_RATE: "1" };

// Whole processes at once. A dead one costs nothing while its order's lease runs out.
const atOnce = 3;

describe.concurrent("kill -9 of everything", { timeout: 300_000 }, () => {
  const take = createSemaphore({ maxConcurrent: atOnce });

  // One cancellation dies at all points, one after the other: each start takes up what the one before it left.
  it("at every point of cancelling", async () => {
    await using database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, SHIPPING_LOG_FILE: "/dev/null" };
    await take.run(async () => {
      const { orderId, stock } = await placeAndHold(env);
      const cancel = `/orders/${orderId}/cancel`;
      for (const at of pointsOf("cancelling")) {
        await using doomed = spawnWhole({
          ...env,
          ...(await choosePorts()),
          ...heldShipments,
          ORDER_CRASH_AT: at,
        });
        let ended = false;
        void doomed.exited.then(() => {
          ended = true;
        });
        // Either driver may bring it there: the repeated request of this client, or the resumer.
        const died = () =>
          ended ||
          doomed.post(cancel).then(
            () => ended,
            () => ended,
          );
        await waitFor(died, { what: `it to die at ${at}`, timeoutMs: 90_000, intervalMs: 100 });
        expect(await doomed.exited, `at ${at}:\n${doomed.output()}`).toBe("SIGKILL");
      }

      await using revived = await startWhole({ ...env, ...(await choosePorts()) });
      const { status, body, text } = await revived.post(cancel);
      expect([status, body.status]).toEqual([200, "CANCELLED"]);
      expect(await revived.history(orderId, "Refunded")).toEqual(cancelledLife);
      await expectConsistent(database.url);
      expect(await revived.available(espresso)).toBe(stock);
      expect((await revived.post(cancel)).text).toBe(text);
      expect(await ledgerOf(database.url)).toEqual([
        { charge_id: orderId, kind: "capture" },
        { charge_id: orderId, kind: "refund" },
      ]);
      const shipments = await rowsOf(
        database.url,
        "select order_id, status from shipping.shipment",
      );
      expect(shipments).toEqual([{ order_id: orderId, status: "CANCELLED" }]);
    });
  });

  it.each(crashes)("at $at", async ({ at, paymentToken, history }) => {
    await using database = await createTestDatabase();
    const env = {
      DATABASE_URL: database.url,
      SHIPPING_DELAY_MS: "0",
      SHIPPING_LOG_FILE: "/dev/null",
    };
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { ...seedBody, userId: "survivor", paymentToken };

    await take.run(async () => {
      await using doomed = await startWhole({
        ...env,
        ...(await choosePorts()),
        ORDER_CRASH_AT: at,
      });
      await expect(doomed.place(body, headers)).rejects.toThrow();
      expect(await doomed.exited).toBe("SIGKILL");
    });

    await take.run(async () => {
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

/** Places an order, says how much stock there was before it, and stops. */
async function placeAndHold(env: Readonly<Record<string, string>>) {
  await using shop = await startWhole({ ...env, ...(await choosePorts()), ...heldShipments });
  const stock = await shop.available(espresso);
  const { status, body } = await shop.place({ ...seedBody, userId: "fickle" });
  expect(status).toBe(201);
  return { orderId: body.orderId as string, stock };
}

/** What the payment provider took and gave back; a void is neither. */
function ledgerOf(databaseUrl: string) {
  return rowsOf(
    databaseUrl,
    "select charge_id, kind from payment_provider.ledger_entry where kind <> 'void' order by kind",
  );
}
