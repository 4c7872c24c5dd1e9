/**
 * Where an order stands with its driver: what is stored of it, and what came of it since. Every call of the saga is idempotent by the
 * order's id, so a step need not be stored before the next one: a driver that takes over from the last stored state makes the same calls
 * and gets the same answers.
 */
import { toBinary } from "@bufbuild/protobuf";
import { Order_Status, OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import type { Logger } from "@smartcart/runtime";
import { currentTraceparent } from "@smartcart/runtime";
import type { StoredOrder, Transition } from "../order.ts";
import { firstEntry, join } from "../order.ts";
import type { OrderState } from "../order-state.ts";
import { isSagaPending, publicStatus } from "../order-state.ts";
import { eventsOf, orderView, statusesChanged } from "../order-view.ts";
import type { OrderRepository } from "../repository.ts";

/** The state of one driver. Not shared: two drivers of an order have one each, and compare-and-set decides between them. */
export interface Progress {
  /** The order as it is now, stored or not. */
  readonly current: StoredOrder;
  /** Whether `current` decides something, and is not stored yet: nothing may be done before it is. */
  readonly mustStore: boolean;
  /** Adds a step from `current`. */
  add(transition: Transition): void;
  /**
   * Stores the steps that were added. Where another driver has moved the order, `current` is the order as that one stored it. Rejects
   * where it is unknown whether the write succeeded; then call it again.
   */
  store(): Promise<void>;
  /** Stores and publishes what there is, while a call takes its time; a failure is only logged. */
  show(): void;
  /** Resolves when what `show` began is over. */
  shown(): Promise<void>;
}

interface ProgressOptions {
  readonly repository: Pick<OrderRepository, "advance" | "announce" | "reload">;
  readonly log: Logger;
  /** Whether the order may have an idempotency key, whose answer is stored with the decision. */
  readonly hasKey: boolean;
}

export function createProgress(order: StoredOrder, o: ProgressOptions): Progress {
  const { repository, log } = o;
  let stored = order;
  let added: Transition | undefined;
  let showing: Promise<void> | undefined;
  let isAnnounced = false;

  const traceparent = () => currentTraceparent() ?? "";

  async function store(): Promise<void> {
    const transition = added;
    if (transition === undefined) return;
    const moved = await repository.advance({
      transition,
      events: eventsOf(transition, traceparent()),
      answer: o.hasKey ? answerOf(transition) : undefined,
    });
    stored = moved ? transition.to : await repository.reload(stored);
    added = undefined;
    if (moved) logTransition(log, transition);
  }

  async function announce(): Promise<void> {
    if (isAnnounced || stored.state !== "RECEIVED") return;
    isAnnounced = true;
    await repository.announce(statusesChanged(stored, [firstEntry(stored)], traceparent()));
  }

  return {
    get current() {
      return added?.to ?? stored;
    },
    get mustStore() {
      return added !== undefined && !isTentative(added.to.state);
    },
    add(transition) {
      added = join(added, transition);
    },
    store,
    show() {
      showing = (added ? store() : announce()).catch((error: unknown) => {
        log.warn("saga.show_failed", { orderId: order.orderId, error });
      });
    },
    async shown() {
      await showing;
      showing = undefined;
    },
  };
}

/** Whether a state may be lost: nothing was decided, and the calls that led to it give the same answers again. */
function isTentative(state: OrderState): boolean {
  return state === "STOCK_RESERVED" || state === "PAID";
}

/** The answer that is stored with the transition that decides the order. */
function answerOf({ from, to }: Transition): Uint8Array | undefined {
  const decided =
    publicStatus(from.state) === Order_Status.PENDING &&
    publicStatus(to.state) !== Order_Status.PENDING;
  return decided ? toBinary(OrderSchema, orderView(to)) : undefined;
}

function logTransition(log: Logger, { to, history }: Transition): void {
  if (!isSagaPending(to.state)) {
    log.info(`order.${to.state.toLowerCase()}`, { orderId: to.orderId, sequence: to.lastSequence });
  } else {
    log.debug(`order.${to.state.toLowerCase()}`, { orderId: to.orderId, entries: history.length });
  }
}
