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
import type { Refusal } from "./refusal.ts";
import { refusalOf } from "./refusal.ts";
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
  /**
   * Drives until the order is at rest, or gives up for now and leaves it to the resumer. An order that is being driven has one driver:
   * who comes second waits for it, and goes on only where it left something to do that it did not know of. Never rejects.
   */
  drive(order: StoredOrder): Promise<StoredOrder>;
  /** Resolves when nothing is being driven any more. */
  idle(): Promise<void>;
  /** Stops drivers at their next step; the resumer of another process, or the next start, goes on. */
  stop(): void;
}

export function createOrderSaga(options: SagaOptions): OrderSaga {
  const stopped = new AbortController();
  const { signal } = stopped;
  const underWay = new Map<string, Promise<StoredOrder>>();
  return {
    drive(order) {
      const { orderId } = order;
      const before = underWay.get(orderId);
      const driveFrom = () =>
        before === undefined
          ? driveToRest(order, options, signal)
          : driveAfter(before, options, signal);
      // Not within the request that placed it: an order goes on when the customer hangs up or the deadline passes.
      const driven = detached(driveFrom).finally(() => {
        if (underWay.get(orderId) === driven) underWay.delete(orderId);
      });
      underWay.set(orderId, driven);
      return driven;
    },
    async idle() {
      while (underWay.size > 0) await Promise.allSettled(underWay.values());
    },
    stop: () => stopped.abort(),
  };
}

/** Goes on where the driver before left an order that has moved since its last look: a cancellation, mostly. */
async function driveAfter(
  before: Promise<StoredOrder>,
  options: SagaOptions,
  signal: AbortSignal,
): Promise<StoredOrder> {
  const left = await before;
  try {
    const now = await options.repository.reload(left);
    return now.state === left.state ? now : await driveToRest(now, options, signal);
  } catch (error) {
    options.log.warn("saga.reload-failed", { orderId: left.orderId, error });
    return left;
  }
}

async function driveToRest(
  order: StoredOrder,
  options: SagaOptions,
  signal: AbortSignal,
): Promise<StoredOrder> {
  const { log, repository, giveUpAfterMs = 6_000, deferMs = 2_000 } = options;
  const { orderId } = order;
  let current = order;
  let failures = 0;
  let stepSince = performance.now();
  for (let step = stepFor(current); step && !signal.aborted; step = stepFor(current)) {
    try {
      const next = await runStep(current, step, options, signal);
      if (next === "parked") return current;
      current = next;
      failures = 0;
      stepSince = performance.now();
    } catch (error) {
      failures += 1;
      const fields = { orderId, state: current.state, attempt: failures, error };
      log.warn(`saga.${step.name}-unknown`, fields);
      if (performance.now() - stepSince > giveUpAfterMs) {
        // Where even this fails, the lease runs out by itself.
        await repository
          .defer(orderId, deferMs)
          .catch((error: unknown) => log.warn("saga.defer-failed", { orderId, error }));
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
): Promise<StoredOrder | "parked"> {
  const { crashPoints, repository, log } = options;
  return withSpan(`saga.${step.name}`, { service: "order" }, async () => {
    crashPoints.hit(`${step.name}.before-call`);
    const transition = await call(order, step, options, signal);
    crashPoints.hit(`${step.name}.after-call`);
    if (transition === "parked") return transition;
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

/** Makes the call of a step; a refusal turns the order back, or parks it where there is no way back. */
async function call(
  order: StoredOrder,
  step: Step,
  { peers, now, repository, log }: SagaOptions,
  signal: AbortSignal,
): Promise<Transition | "parked"> {
  try {
    return await step.run(order, { peers, signal, now });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    logRefusal(log, order, step, refusal, error);
    if (step.refused !== undefined) return step.refused(order, refusal, now);
    await repository.park(order, refusal.code);
    return "parked";
  }
}

function logRefusal(
  log: Logger,
  order: StoredOrder,
  step: Step,
  { code }: Refusal,
  error: unknown,
) {
  const fields = { orderId: order.orderId, state: order.state, code };
  // That a shipment has begun before the customer asked is the normal course of things.
  if (step.name === "stop-shipment") log.info("saga.stop-shipment-refused", fields);
  else log.error(`saga.${step.name}-refused`, { ...fields, error });
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
