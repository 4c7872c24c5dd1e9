/** Every call of every outcome goes wrong in every way: the order comes to the same end, and nothing is done twice. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runOrder } from "./order-run.ts";
import { outcomes } from "./outcomes.ts";
import type { PeerCall, World } from "./scripted-peers.ts";
import { faults, peerCalls } from "./scripted-peers.ts";
import { openOrders } from "./setup.ts";

let orders: Awaited<ReturnType<typeof openOrders>>;
beforeAll(async () => {
  orders = await openOrders();
});
afterAll(() => orders[Symbol.asyncDispose]());

it("every call is on the way to an outcome", () => {
  expect(new Set(outcomes.flatMap(({ calls }) => calls))).toEqual(new Set(peerCalls));
});

// Most of the time of these is waiting, for deadlines and before repetitions.
describe.concurrent.each(outcomes)("$name", (outcome) => {
  it("makes its calls in their order", async () => {
    let calls: readonly PeerCall[] = [];
    await runOrder(orders.database, outcome, ({ world }) => {
      world.calls.length = 0;
      calls = world.calls;
    });
    expect(calls).toEqual(outcome.calls);
  });

  const table = outcome.calls.flatMap((call) => faults.map((fault) => ({ call, fault })));
  it.each(table)("though $call goes wrong: $fault", async ({ call, fault }) => {
    let met: World | undefined;
    await runOrder(orders.database, outcome, ({ world }) => {
      met = world;
      world.failNext(call, fault);
    });
    expect(met?.pendingFaults).toBe(0);
  });
});
