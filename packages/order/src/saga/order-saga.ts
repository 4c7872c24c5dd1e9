/**
 * Drives an order to rest: call, store what came of it by compare-and-set, next step. Everything it needs to go on is in the
 * row before each call, so a driver may die anywhere and two may drive the same order: calls are idempotent, and of
 * two stores one wins.
 */
import { toBinary } from "@bufbuild/protobuf";
import { Order_Status, OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { detached } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { currentTraceparent, delay, withSpan } from "@smartcart/runtime";
import type { CrashPoints } from "../crash-points.ts";
import type { StoredOrder, Transition } from "../order.ts";
import { needsDriving } from "../order-state.ts";
import { eventsOf, orderView } from "../order-view.ts";
import type { OrderRepository } from "../repository.ts";
import type { Peers, Step } from "./steps.ts";
import { stepFor } from "./steps.ts";

export interface SagaOptions {
  readonly repository: OrderRepository;
  readonly peers: Peers;
  readonly log: Logger;
  readonly crashPoints: CrashPoints;
  readonly now: () => Date;
  /** How long one step is tried before the driver leaves the order to the resumer, in milliseconds. Default 6,000. */
  readonly giveUpAfterMs?: number;
  /** When the resumer looks at an order again that was left to it, in milliseconds. Default 2,000. */
  readonly deferMs?: number;
}

export interface OrderSaga {
  /** Drives until the order is at rest, or gives up for now and leaves it to the resumer. Never rejects. */
  drive(order: StoredOrder): Promise<StoredOrder>;
  /** Resolves when nothing is being driven any more. */
  idle(): Promise<void>;
  /** Stops drivers at their next step; the resumer of another process, or the next start, goes on. */
  stop(): void;
}

export function createOrderSaga(options: SagaOptions): OrderSaga {
  const stopped = new AbortController();
  const underWay = new Set<Promise<StoredOrder>>();
  return {
    drive(order) {
      // Not within the request that placed it: an order goes on when the customer hangs up or the deadline passes.
      const driven = detached(() => driveToRest(order, options, stopped.signal)).finally(() =>
        underWay.delete(driven),
      );
      underWay.add(driven);
      return driven;
    },
    async idle() {
      await Promise.allSettled(underWay);
    },
    stop: () => stopped.abort(),
  };
}

async function driveToRest(
  order: StoredOrder,
  options: SagaOptions,
  signal: AbortSignal,
): Promise<StoredOrder> {
  const { log, repository, giveUpAfterMs = 6_000, deferMs = 2_000 } = options;
  let current = order;
  let failures = 0;
  let stepSince = performance.now();
  for (let step = stepFor(current); step && !signal.aborted; step = stepFor(current)) {
    try {
      current = await runStep(current, step, options, signal);
      failures = 0;
      stepSince = performance.now();
    } catch (error) {
      failures += 1;
      const fields = { orderId: order.orderId, state: current.state, attempt: failures, error };
      log.warn(`saga.${step.name}-unknown`, fields);
      if (performance.now() - stepSince > giveUpAfterMs) {
        // Where even this fails, the lease runs out by itself.
        await repository
          .defer(order.orderId, deferMs)
          .catch((error: unknown) =>
            log.warn("saga.defer-failed", { orderId: order.orderId, error }),
          );
        return current;
      }
      await delay(backoffMs(failures), signal).catch(() => {});
    }
  }
  return current;
}

async function runStep(
  order: StoredOrder,
  step: Step,
  options: SagaOptions,
  signal: AbortSignal,
): Promise<StoredOrder> {
  const { peers, crashPoints, now, repository, log } = options;
  return withSpan(`saga.${step.name}`, { service: "order" }, async () => {
    crashPoints.hit(`${step.name}.before-call`);
    const transition = await step.run(order, { peers, signal, now });
    crashPoints.hit(`${step.name}.after-call`);
    const moved = await repository.advance({
      transition,
      events: eventsOf(transition, currentTraceparent() ?? ""),
      answer: answerOf(transition),
    });
    crashPoints.hit(`${step.name}.after-commit`);
    if (!moved) return repository.reload(order);
    logTransition(log, transition);
    return transition.to;
  });
}

/** The answer that is stored with the transition that decides the order. */
function answerOf({ from, to }: Transition): Uint8Array | undefined {
  const decided =
    orderView(from).status === Order_Status.PENDING &&
    orderView(to).status !== Order_Status.PENDING;
  return decided ? toBinary(OrderSchema, orderView(to)) : undefined;
}

function logTransition(log: Logger, { to, history }: Transition): void {
  if (!needsDriving(to.state)) {
    log.info(`order.${to.state.toLowerCase()}`, { orderId: to.orderId, sequence: to.lastSequence });
  } else {
    log.debug(`order.${to.state.toLowerCase()}`, { orderId: to.orderId, entries: history.length });
  }
}

/** 100 ms, 200 ms, 400 ms … up to a second, with up to half of it taken off, so that drivers do not move in step. */
function backoffMs(failures: number): number {
  return Math.min(100 * 2 ** (failures - 1), 1_000) * (0.5 + Math.random() / 2);
}
