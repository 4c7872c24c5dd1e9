/**
 * An upgrade with orders under way: the version before this one dies with orders left at several points, and this one, started
 * on the same database and queue, brings each of them to its end.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { CrashPoint } from "@smartcart/order";
import { createTestBroker, createTestDatabase, waitFor } from "@smartcart/testkit";
import { expectConsistent, rowsOf } from "./invariants.ts";
import { unpackPreviousVersion } from "./previous-version.ts";
import type { Answer } from "./stack.ts";
import { cancelledLife, seedBody, wholeLife } from "./stack.ts";
import type { WholeProcess } from "./whole-process.ts";
import { choosePorts, startWhole } from "./whole-process.ts";

type Environment = Readonly<Record<string, string>>;

/** A point in the middle of placing an order, whose client hears nothing, and the state in which it leaves the order. */
interface Death {
  readonly at: CrashPoint;
  readonly state: string;
}

const afterCommit: Death = { at: "commit.after-commit", state: "CONFIRMED" };
const deaths: readonly Death[] = [
  { at: "reserve.after-call", state: "RECEIVED" },
  // A version that stored every step leaves STOCK_RESERVED; see `comparable`.
  { at: "charge.after-call", state: "RECEIVED" },
  afterCommit,
];

const comparable = (state: string) => (state === "STOCK_RESERVED" ? "RECEIVED" : state);

const keyOf = (what: string) => ({ "idempotency-key": `key of ${what}` });
const body = { ...seedBody, userId: "patient" };

const previous = await unpackPreviousVersion();
afterAll(() => previous[Symbol.asyncDispose]());

describe(`orders left half way by ${previous.title}`, { timeout: 240_000 }, () => {
  // What is in the database is the same on both queues; what is in the queue is not.
  it.each([
    { queue: "the queue on PostgreSQL", deaths },
    { queue: "RabbitMQ", deaths: [afterCommit] },
  ])("are finished, on $queue", async ({ queue, deaths }) => {
    await using database = await createTestDatabase();
    await using resources = new AsyncDisposableStack();
    const broker = queue === "RabbitMQ" ? resources.use(await createTestBroker()) : undefined;
    const env = {
      DATABASE_URL: database.url,
      SHIPPING_DELAY_MS: "0",
      SHIPPING_LOG_FILE: "/dev/null",
      ...(broker !== undefined && { AMQP_URL: broker.amqpUrl }),
    };
    const left = await leaveOrders(env, deaths);
    expect((await statesOf(database.url)).map(comparable).sort()).toEqual(
      ["CONFIRMED", "CANCELLED_REFUNDING", ...deaths.map(({ state }) => state)].sort(),
    );

    await using present = await startWhole({ ...env, ...(await choosePorts()) });
    const cancelled = await present.post(`/orders/${left.cancelled.orderId}/cancel`);
    expect([cancelled.status, cancelled.body.status]).toEqual([200, "CANCELLED"]);
    expect(await present.history(left.cancelled.orderId, "Refunded")).toEqual(cancelledLife);

    const placed = [await present.place(body, keyOf("confirmed"))];
    // What was answered before the upgrade is answered again, whatever this version may add to it.
    expect(placed[0]?.body).toMatchObject(left.confirmed);
    for (const { at } of deaths) placed.push(await answerAfter(present, at));
    for (const { status, body } of placed) {
      expect(status).toBe(201);
      expect(await shippedHistory(present, body.orderId)).toEqual(wholeLife);
    }
    await expectConsistent(database.url);

    // Each request was one order, and each order one charge.
    const { orders } = (await present.get("/orders?userId=patient")).body;
    const orderIds = [...placed.map((answer) => answer.body.orderId), left.cancelled.orderId];
    expect(orders.map((order: { orderId: string }) => order.orderId).sort()).toEqual(
      orderIds.sort(),
    );
    expect(await capturesOf(database.url)).toEqual(orderIds.map((id) => ({ charge_id: id })));
  });
});

/**
 * Starts the previous version once for each of its deaths, and once more for an order that is confirmed, with its event in the
 * queue and no shipment, and for one that dies while it is being cancelled. In the end nothing of it runs.
 */
async function leaveOrders(env: Environment & { DATABASE_URL: string }, deaths: readonly Death[]) {
  const databaseUrl = env.DATABASE_URL;
  await using running = new AsyncDisposableStack();
  const start = async (extra: Environment) =>
    running.use(
      await startWhole(
        // No shipment begins.
        { ...env, ...(await choosePorts()), SHIPPING_FAILURE_RATE: "1", ...extra },
        previous.main,
      ),
    );
  const [cancelling, ...placing] = await Promise.all([
    start({ ORDER_CRASH_AT: "refund.after-call" }),
    // They do not relay, so that what they do last is still in the outbox.
    ...deaths.map(({ at }) => start({ ORDER_CRASH_AT: at, NOTIFICATION_POLL_MS: "3600000" })),
  ]);
  const confirmed = await cancelling.place(body, keyOf("confirmed"));
  const cancelled = await cancelling.place(body, keyOf("cancelled"));
  expect([confirmed.status, cancelled.status]).toEqual([201, 201]);
  await waitFor(async () => (await outboxOf(databaseUrl)).length === 0, {
    what: "everything to be in the queue",
  });
  await diesAt(cancelling, cancelling.post(`/orders/${cancelled.body.orderId}/cancel`));
  await Promise.all(
    placing.map((shop, index) => diesAt(shop, shop.place(body, keyOf(deaths[index]?.at ?? "")))),
  );
  // A process that died right after the commit had no time to relay.
  expect(await outboxOf(databaseUrl)).not.toEqual([]);
  return { confirmed: confirmed.body, cancelled: cancelled.body };
}

async function diesAt(shop: WholeProcess, request: Promise<Answer>): Promise<void> {
  await expect(request).rejects.toThrow();
  expect(await shop.exited, shop.output()).toBe("SIGKILL");
}

/** Asks again with the key until there is an answer; 409 says that the first request is still under way. */
function answerAfter(shop: WholeProcess, at: CrashPoint): Promise<Answer> {
  return waitFor(
    async () => {
      const answer = await shop.place(body, keyOf(at));
      return answer.body.code !== "IDEMPOTENCY_KEY_IN_USE" && answer;
    },
    { what: `the answer to the order left at ${at}`, timeoutMs: 90_000, intervalMs: 100 },
  );
}

/** Longer than usual: a message that the previous version gave back waits in the ladder of retries. */
function shippedHistory(shop: WholeProcess, orderId: string): Promise<string[]> {
  return waitFor(() => shop.history(orderId, "Shipped"), {
    what: `order ${orderId} to be shipped`,
    timeoutMs: 90_000,
  });
}

async function statesOf(databaseUrl: string): Promise<string[]> {
  const rows = await rowsOf<{ state: string }>(databaseUrl, "select state from orders.orders");
  return rows.map(({ state }) => state).sort();
}

function outboxOf(databaseUrl: string) {
  return rowsOf(databaseUrl, "select message_id from orders.outbox");
}

function capturesOf(databaseUrl: string) {
  return rowsOf(
    databaseUrl,
    `select charge_id from payment_provider.ledger_entry where kind = 'capture'
     order by charge_id collate "C"`,
  );
}
