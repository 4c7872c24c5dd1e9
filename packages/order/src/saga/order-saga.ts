/**
 * Drives an order to rest: one call after the other, then what came of them is stored by compare-and-set, before anything is
 * done about a decision. A driver may die anywhere and two may drive the same order: calls are idempotent by the order's id, so they may
 * be made again from whatever is stored, and of two stores one wins.
 */
import { detached } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { delay, withSpan } from "@smartcart/runtime";
import type { CrashPoints } from "../crash-points.ts";
import type { StoredOrder, Transition } from "../order.ts";
import type { OrderRepository } from "../repository.ts";
import type { Progress } from "./progress.ts";
import { createProgress } from "./progress.ts";
import type { Refusal } from "./refusal.ts";
import { refusalOf } from "./refusal.ts";
import type { WatchCall } from "./slow-calls.ts";
import { createSlowCallWatch } from "./slow-calls.ts";
import type { Peers, Step } from "./steps.ts";
import { stepFor } from "./steps.ts";

interface SagaOptions {
  readonly repository: OrderRepository;
  readonly peers: Peers;
  readonly log: Logger;
  readonly crashPoints: CrashPoints;
  readonly now: () => Date;
  /** How long one step is tried before the driver leaves the order to the resumer, in milliseconds. Default 6,000. */
  readonly giveUpAfterMs?: number;
  /** When the resumer looks at an order again that was left to it, in milliseconds. Default 2,000. */
  readonly deferMs?: number;
  /** A call that takes longer is no reason to keep from the customer what is known by then, in milliseconds. Default 150. */
  readonly slowAfterMs?: number;
}

interface DriveOptions extends SagaOptions {
  readonly hasKey: boolean;
  readonly watchCall: WatchCall;
}

/** Drives the orders of this process. What it loses when the process dies, the resumer of any process takes up. */
export interface OrderSaga {
  /**
   * Drives until the order is at rest, or gives up for now and leaves it to the resumer. An order has one driver per process: a second
   * call waits for the first, and goes on only where the order has changed since. Never rejects.
   *
   * `hasKey: false` says that the order has no idempotency key, and so needs no answer stored. Default true.
   */
  drive(order: StoredOrder, o?: { readonly hasKey: boolean }): Promise<StoredOrder>;
  /** Resolves when nothing is being driven any more. */
  idle(): Promise<void>;
  /** Stops drivers before their next step. The resumer of another process, or of the next start, continues. */
  stop(): void;
}

/** Starts nothing by itself. To shut down, call `stop` and then await `idle`. */
export function createOrderSaga(options: SagaOptions): OrderSaga {
  const stopped = new AbortController();
  const { signal } = stopped;
  const underWay = new Map<string, Promise<StoredOrder>>();
  const watchCall = createSlowCallWatch(options.slowAfterMs ?? 150);
  return {
    drive(order, { hasKey } = { hasKey: true }) {
      const { orderId } = order;
      const driving = { ...options, hasKey, watchCall };
      const before = underWay.get(orderId);
      const driveFrom = () =>
        before === undefined
          ? driveToRest(order, driving, signal)
          : driveAfter(before, driving, signal);
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

/** Continues after another driver, where the order has changed since that one read it: mostly by a cancellation. */
async function driveAfter(
  before: Promise<StoredOrder>,
  options: DriveOptions,
  signal: AbortSignal,
): Promise<StoredOrder> {
  const left = await before;
  try {
    const now = await options.repository.reload(left);
    return now.state === left.state ? now : await driveToRest(now, options, signal);
  } catch (error) {
    options.log.warn("saga.reload_failed", { orderId: left.orderId, error });
    return left;
  }
}

async function driveToRest(
  order: StoredOrder,
  options: DriveOptions,
  signal: AbortSignal,
): Promise<StoredOrder> {
  const { giveUpAfterMs = 6_000 } = options;
  const progress = createProgress(order, options);
  let failures = 0;
  let stepSince = performance.now();
  while (!signal.aborted) {
    const step = stepFor(progress.current);
    if (step === undefined && !progress.mustStore) break;
    try {
      if (progress.mustStore || step === undefined) await progress.store();
      else if ((await runStep(step, progress, options, signal)) === "parked") break;
      failures = 0;
      stepSince = performance.now();
    } catch (error) {
      failures += 1;
      logUnknown(options.log, progress.current, step, failures, error);
      if (performance.now() - stepSince > giveUpAfterMs) {
        await leaveToResumer(progress, options);
        break;
      }
      await delay(backoffMs(failures), signal).catch(() => {});
    }
  }
  return progress.current;
}

async function runStep(
  step: Step,
  progress: Progress,
  options: DriveOptions,
  signal: AbortSignal,
): Promise<"done" | "parked"> {
  const { crashPoints, watchCall } = options;
  return withSpan(`saga.${step.name}`, { service: "order" }, async () => {
    const order = progress.current;
    crashPoints.hit(`${step.name}.before-call`);
    const transition = await watchCall(call(order, step, options, signal), progress.show).finally(
      progress.shown,
    );
    crashPoints.hit(`${step.name}.after-call`);
    if (transition === "parked") return transition;
    // Another driver has moved it meanwhile: the answer is dropped, and asked for again if it is still needed.
    if (stateOf(progress.current) !== stateOf(order)) return "done";
    progress.add(transition);
    if (progress.mustStore) await progress.store();
    crashPoints.hit(`${step.name}.after-commit`);
    return "done";
  });
}

/** What compare-and-set goes by. */
function stateOf({ state, lastSequence }: StoredOrder): string {
  return `${state} ${lastSequence}`;
}

/** Stores the steps so far, for the next driver to continue from. Where even this fails, the lease expires by itself. */
async function leaveToResumer(
  progress: Progress,
  { repository, log, deferMs = 2_000 }: DriveOptions,
): Promise<void> {
  const { orderId } = progress.current;
  try {
    await progress.store();
    await repository.defer(orderId, deferMs);
  } catch (error) {
    log.warn("saga.defer_failed", { orderId, error });
  }
}

function logUnknown(
  log: Logger,
  { orderId, state }: StoredOrder,
  step: Step | undefined,
  attempt: number,
  error: unknown,
): void {
  log.warn(`saga.${step?.name ?? "store"}_unknown`, { orderId, state, attempt, error });
}

/** Makes the call of a step. A refusal compensates the order, or parks it for an operator where the step has no compensation. */
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
  // A shipment that has started before the cancellation is a normal case, not an error.
  if (step.name === "stop-shipment") log.info("saga.stop_shipment_refused", fields);
  else log.error(`saga.${step.name}_refused`, { ...fields, error });
}

/** 100 ms, 200 ms, 400 ms … up to a second, with up to half of it taken off, so that drivers do not move in step. */
function backoffMs(failures: number): number {
  return Math.min(100 * 2 ** (failures - 1), 1_000) * (0.5 + Math.random() / 2);
}
