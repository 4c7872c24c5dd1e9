/** One order from its request to its end, with a customer who repeats the request and processes that die and are started again. */
import { toBinary } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { OrderMilestone, OrderMilestoneSchema } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { Order } from "@smartcart/gen/order/v1/order_pb";
import { OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { waitFor } from "@smartcart/testkit";
import { startResumer } from "../src/saga/resumer.ts";
import { InterruptedError, startProcess } from "./order-process.ts";
import type { Outcome } from "./outcomes.ts";
import { createWorld } from "./scripted-peers.ts";
import { milestonesOf, publishedOf } from "./setup.ts";

let runs = 0;

/** Brings about an outcome, and interferes before the part of it that the outcome is about. */
export async function runOrder(
  database: Database,
  outcome: Outcome,
  interfere: (run: OrderRun) => void,
): Promise<void> {
  await using run = startRun(database, outcome);
  if (outcome.cancel === undefined) interfere(run);
  const order = await run.place();
  if (outcome.cancel !== undefined) {
    interfere(run);
    await run.cancel(order);
  }
  await run.expectEnd(order);
}

type OrderRun = ReturnType<typeof startRun>;

/** A world of its own on a database that may be shared, and the process that is running now. */
function startRun(database: Database, outcome: Outcome) {
  const { world, peers } = createWorld();
  outcome.prepare?.(world);
  const key = `run-${process.pid}-${runs++}`;
  const request = { userId: key, paymentToken: outcome.paymentToken ?? "" };
  const resumers = new AsyncDisposableStack();
  let current = startProcess({ database, peers });

  /** The customer asks again while no process answers, or the answer is not ready. */
  async function insist<T>(attempt: () => Promise<T>): Promise<T> {
    return waitFor(
      async () => {
        try {
          return { answer: await attempt() };
        } catch (error) {
          if (error instanceof InterruptedError) await recover();
          else if (!isPassing(error)) return { error };
          return undefined;
        }
      },
      { intervalMs: 10, what: `an answer about ${key}` },
    ).then((settled) => {
      if ("error" in settled) throw settled.error;
      return settled.answer;
    });
  }

  /** Leases run out, and the resumer takes up what was left: of a new process where the old one died. */
  async function recover(): Promise<void> {
    await database.query({
      text: "update orders set lease_until = now() - interval '1 second' where user_id = $1",
      values: [key],
    });
    if (current.dead) current = startProcess({ database, peers });
    resumers.use(startResumer({ ...current, log: silentLogger, intervalMs: 10 }));
  }

  return {
    world,
    get process() {
      return current;
    },
    place: (): Promise<Order> => insist(async () => (await current.place(request, key)).order),
    /** Cancels the order; where that is to come too late, being told so is what the customer expects. */
    async cancel({ orderId }: Order): Promise<void> {
      if (outcome.cancel === "too-late") world.startedShipments.add(orderId);
      const cancelled = insist(() => current.cancel(orderId));
      if (outcome.cancel === "in-time") await cancelled;
      else await expect(cancelled).rejects.toMatchObject({ code: "ORDER_ALREADY_SHIPPING" });
    },
    /** Waits for the end, and compares everything there is with what it has to be. */
    async expectEnd(first: Order): Promise<void> {
      const { orderId } = first;
      await waitFor(
        async () => (await current.repository.find(orderId))?.state === outcome.end.state,
      );
      expect(await endOf(orderId)).toEqual(outcome.end);
      expect(await eventsOf(orderId)).toEqual(eventsFor(outcome));
      expect(await ordersOf()).toEqual([orderId]);
      const again = await current.place(request, key);
      expect(toBinary(OrderSchema, again.order)).toEqual(toBinary(OrderSchema, first));
      expect(again.replayed).toBe(true);
    },
    [Symbol.asyncDispose]: () => resumers.disposeAsync(),
  };

  async function endOf(orderId: string): Promise<Outcome["end"] | undefined> {
    const stored = await current.repository.find(orderId);
    return (
      stored && {
        state: stored.state,
        history: await milestonesOf(database, orderId),
        reservation: world.reservations.get(orderId),
        captures: sum(world.captures),
        refunds: sum(world.refunds),
        stock: world.stock,
        shipmentStopped: world.stoppedShipments.has(orderId),
      }
    );
  }

  async function ordersOf(): Promise<string[]> {
    const { rows } = await database.query<{ order_id: string }>({
      text: "select order_id from orders where user_id = $1",
      values: [key],
    });
    return rows.map((row) => row.order_id);
  }

  /** What was published; an entry that was shown early comes again with the next ones, and its sequence tells. */
  async function eventsOf(orderId: string): Promise<string[]> {
    return [...new Set(await publishedOf(database, orderId))];
  }
}

/** Each entry of the history is published, and the order itself once it is confirmed. */
function eventsFor({ end }: Outcome): string[] {
  return end.history.flatMap((milestone, index) => {
    const entry = `${index + 1} ${OrderMilestoneSchema.value[milestone]?.localName}`;
    return milestone === OrderMilestone.CONFIRMED ? [entry, "order.placed"] : [entry];
  });
}

function isPassing(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "IDEMPOTENCY_KEY_IN_USE" || code === "ORDER_NOT_SETTLED";
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
