/**
 * Takes up orders whose driver died or gave up: at start and then on a timer. Rows are leased, so any number of
 * replicas may run one. Orders are taken by the service that their next step calls: as many as wait for one that is silent, those of
 * the others go on.
 */
import type { Logger } from "@smartcart/runtime";
import { createPool, startTimer } from "@smartcart/runtime";
import type { StoredOrder } from "../order.ts";
import { orderStates } from "../order-state.ts";
import type { OrderRepository } from "../repository.ts";
import type { OrderSaga } from "./order-saga.ts";
import type { Peers } from "./steps.ts";
import { stepFor } from "./steps.ts";

interface ResumerOptions {
  readonly repository: Pick<OrderRepository, "leaseUnfinished" | "unfinishedDueInMs">;
  readonly saga: Pick<OrderSaga, "drive">;
  readonly log: Logger;
  /** Shortest pause between two looks, in milliseconds. Default 1,000. */
  readonly intervalMs?: number;
}

/** Orders that one process resumes at once, by the service that they wait for. */
const maxConcurrent = 100;
/** Longest pause. No lease is shorter than that, so that none runs out unseen. */
const longestPauseMs = 2_000;

const peers: readonly (keyof Peers)[] = ["inventory", "payment", "shipping"];

/** Starts one pool per called service. Disposing waits for the orders under way. */
export function startResumer(options: ResumerOptions): AsyncDisposable {
  const { repository, saga, log, intervalMs = 1_000 } = options;
  const resources = new AsyncDisposableStack();
  const work = async (order: StoredOrder) => {
    log.info("order.resumed", { orderId: order.orderId, state: order.state });
    await saga.drive(order);
  };
  for (const peer of peers) {
    const name = `order.resumer.${peer}`;
    const states = orderStates.filter((state) => stepFor({ state })?.peer === peer);
    const pool = resources.use(createPool({ name, maxConcurrent: maxConcurrent, log }));
    const take = (limit: number) => repository.leaseUnfinished(states, limit);
    const run = async (signal: AbortSignal) => {
      const dueInMs = await repository.unfinishedDueInMs(states);
      if (dueInMs > 0) return dueInMs;
      await pool.fill({ take, work, signal });
      return 0;
    };
    const longestMs = Math.max(intervalMs, longestPauseMs);
    resources.use(startTimer({ name, intervalMs, longestMs, log, run }));
  }
  return resources;
}
