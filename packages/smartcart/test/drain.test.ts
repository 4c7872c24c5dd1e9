/**
 * SIGTERM under load: accepted requests are answered, later ones are refused at once, and after a new start nothing that was
 * answered is missing, and nothing that was not answered needs more than the same request once more.
 */
import { expect, it } from "vitest";
import { createTestDatabase, waitFor } from "@smartcart/testkit";
import { expectConsistent } from "./invariants.ts";
import type { Attempt } from "./shopping-load.ts";
import { startShoppingLoad } from "./shopping-load.ts";
import type { StatusFrame } from "./stack.ts";
import { seedBody, wholeLife } from "./stack.ts";
import type { WholeProcess } from "./whole-process.ts";
import { choosePorts, startWhole } from "./whole-process.ts";

const clients = 30;
const goingAway = 1001;
/** One in five pays with a card whose provider is slow, so that there is always something under way for long. */
const bodyOf = (client: number) => ({
  ...seedBody,
  userId: `shopper-${client}`,
  paymentToken: client % 5 === 0 ? "tok_slow" : "tok_visa",
});
/** Their orders are watched: two quick ones and a slow one. */
const watched = [1, 2, 5].map((client) => bodyOf(client).userId);

// Of the order service itself, and through the page's own origin.
it.each(["order", "web"])(
  "drains under load on %s, and loses nothing",
  { timeout: 240_000 },
  async (service) => {
    await using database = await createTestDatabase();
    const env = {
      DATABASE_URL: database.url,
      SHIPPING_DELAY_MS: "100",
      SHIPPING_LOG_FILE: "/dev/null",
    };
    await using drained = await startWhole({ ...env, ...(await choosePorts()) });
    const watchers = await Promise.all(watched.map((userId) => drained.follow({ userId })));
    const load = startShoppingLoad({ url: drained.urls[service] ?? "", clients, bodyOf });
    await waitFor(() => load.attempts.length >= 5 * clients, { what: "load", timeoutMs: 60_000 });
    drained.kill("SIGTERM");
    await load.ended;
    expect(await drained.exited, drained.output()).toBe(0);
    expect(await Promise.all(watchers.map(({ closed }) => closed))).toEqual(
      watched.map(() => goingAway),
    );
    expect(load.attempts.filter(({ outcome }) => isBad(outcome))).toEqual([]);

    await using revived = await startWhole({ ...env, ...(await choosePorts()) });
    const orderIds = await Promise.all(load.attempts.map((attempt) => sameOrder(revived, attempt)));
    expect(new Set(orderIds).size).toBe(load.attempts.length);
    await expectConsistent(database.url);
    for (const [index, userId] of watched.entries()) {
      const mine = orderIds.filter((_, at) => load.attempts[at]?.userId === userId);
      await resume(revived, mine, watchers[index]?.frames ?? []);
    }
  },
);

/** A bad answer: cut off, or neither an order nor a refusal with a time to retry. */
function isBad(outcome: Attempt["outcome"]): boolean {
  if (outcome.kind === "half-answered") return true;
  if (outcome.kind !== "answered" || outcome.status === 201) return false;
  return outcome.status !== 503 || outcome.retryAfter === "";
}

/** The order of a request, by one more request with its key. */
async function sameOrder(shop: WholeProcess, { key, body, outcome }: Attempt): Promise<string> {
  const again = await shop.place(body, { "idempotency-key": key });
  expect(again.status, `${key}: ${again.text}`).toBe(201);
  const replayed = again.headers.get("idempotency-replayed");
  const answered = outcome.kind === "answered" && outcome.status === 201;
  // A request without an answer was never accepted: the shop has not seen its key.
  expect([key, outcome, replayed]).toEqual([key, outcome, answered ? "true" : null]);
  if (answered) expect(again.text).toBe(outcome.text);
  return again.body.orderId;
}

/** Goes on with each order where the first connection ended: the frames of both are its statuses, each once. */
async function resume(
  shop: WholeProcess,
  orderIds: readonly string[],
  before: readonly StatusFrame[],
): Promise<void> {
  const seen = (orderId: string) =>
    before.filter((frame) => frame.orderId === orderId).map(({ sequence }) => sequence);
  await using client = await shop.follow();
  for (const orderId of orderIds) {
    client.subscribe({ orderId, afterSequence: Math.max(0, ...seen(orderId)) });
  }
  const sequences = () =>
    orderIds.map((orderId) => [
      ...seen(orderId),
      ...client.frames.flatMap((frame) => (frame.orderId === orderId ? frame.sequence : [])),
    ]);
  const whole = orderIds.map(() => wholeLife.map((_, index) => index + 1));
  await expect.poll(sequences, { timeout: 30_000 }).toEqual(whole);
}
