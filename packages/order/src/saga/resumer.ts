/**
 * Takes up orders whose driver died or gave up: at start and then on a timer. Rows are leased, so any number of
 * replicas may run one.
 */
import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { OrderRepository } from "../repository.ts";
import type { OrderSaga } from "./order-saga.ts";

export interface ResumerOptions {
  readonly repository: OrderRepository;
  readonly saga: OrderSaga;
  readonly log: Logger;
  /** Pause between two looks, in milliseconds. Default 1,000. */
  readonly intervalMs?: number;
}

const BATCH = 100;

export function startResumer(options: ResumerOptions): AsyncDisposable {
  const { repository, saga, log, intervalMs = 1_000 } = options;
  return startTimer({
    name: "order.resumer",
    intervalMs,
    log,
    async run(signal) {
      for (;;) {
        const orders = await repository.leaseUnfinished(BATCH);
        for (const { orderId, state } of orders) log.info("order.resumed", { orderId, state });
        await Promise.all(orders.map((order) => saga.drive(order)));
        if (orders.length < BATCH || signal.aborted) return;
      }
    },
  });
}
