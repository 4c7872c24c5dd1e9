import type { Logger } from "@smartcart/runtime";
import type { OrderHistory } from "./order-history.ts";
import { isUnknownOrder } from "./order-history.ts";
import type { Sequencer, Step } from "./sequencer.ts";
import {
  createSequencer,
  isResting,
  live,
  read,
  readFailed,
  refill,
  unknownOrder,
} from "./sequencer.ts";
import type { StatusFrame } from "./server-frames.ts";
import { errorFrame, resyncFrame } from "./server-frames.ts";

/** The subscription of one client to one order: a sequencer with its reads and retries. */
export interface OrderSubscription {
  /** The last sequence that was sent. */
  readonly last: number;
  /** No read or retry is under way: a new subscription after `last` is equivalent, so that this one need not be kept. */
  readonly resting: boolean;
  /** A live event came. */
  live(frame: StatusFrame): void;
  /**
   * Reads what came after `after` (default: after what was sent). Resolves when the first reading has had its effect, good or
   * bad. `turn` holds that effect back, so that several orders can be read at once and be sent one after the other.
   */
  refill(o?: { readonly after?: number; readonly turn?: Promise<void> }): Promise<void>;
  /** Nothing is sent any more. */
  stop(): void;
}

/** One order, one client, and how its history is read. */
export interface OrderSubscriptionOptions {
  readonly orderId: string;
  readonly history: OrderHistory;
  readonly log: Logger;
  readonly send: (data: Buffer) => void;
  /** Called after a resync frame was sent. */
  readonly onResync: () => void;
  /** Pause after the first reading that failed, in milliseconds; it doubles with each further one. */
  readonly retryPauseMs: number;
}

/** A subscription at rest that has sent everything up to `after`. */
export function createOrderSubscription(
  after: number,
  o: OrderSubscriptionOptions,
): OrderSubscription {
  let state: Sequencer<StatusFrame> = createSequencer(after);
  let stopped = false;
  let pause: NodeJS.Timeout | undefined;

  function take(step: Step<StatusFrame>, turn: Promise<void> = Promise.resolve()): Promise<void> {
    if (stopped) return turn;
    state = step.state;
    for (const frame of step.send) o.send(frame.data);
    switch (step.action?.kind) {
      case "read":
        return readOnce(turn);
      case "read-later":
        pause = setTimeout(readOnce, o.retryPauseMs * 2 ** (step.action.failures - 1));
        break;
      case "resync":
        o.onResync();
        o.send(resyncFrame(o.orderId, state.last, resyncReason));
        break;
      case "unknown-order":
        o.send(errorFrame("UNKNOWN_ORDER", unknownMessage(o.orderId), "subscribe.orderId"));
    }
    return turn;
  }

  async function readOnce(turn?: Promise<void>): Promise<void> {
    const isWanted = () => !stopped;
    const effect = await o.history.list(o.orderId, state.last, isWanted).then(
      (frames) => () => read(state, frames),
      (error: unknown) => () => {
        if (isUnknownOrder(error)) return unknownOrder(state);
        o.log.warn("status.read_failed", { orderId: o.orderId, error });
        return readFailed(state);
      },
    );
    await turn;
    void take(effect());
  }

  return {
    get last() {
      return state.last;
    },
    get resting() {
      return isResting(state);
    },
    live(frame) {
      void take(live(state, frame));
    },
    refill: ({ after, turn } = {}) => take(refill(state, after), turn),
    stop() {
      stopped = true;
      clearTimeout(pause);
    },
  };
}

const resyncReason =
  "the order's history cannot be read just now; read the order by REST and subscribe again after what you have";

function unknownMessage(orderId: string): string {
  return `no order has the id ${orderId} yet; if it is placed, its statuses follow on this connection`;
}
