import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { getOrder } from "../api/orders.ts";
import { backoffMs, pause } from "../backoff.ts";
import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";
import type { TokenSource } from "../session/session.ts";

/** An order as the REST interface answers it. */
export type LoadedOrder =
  | { readonly kind: "loading" }
  /** `reachable` is false while a newer state could not be fetched. */
  | { readonly kind: "order"; readonly order: OrderJson; readonly reachable: boolean }
  | { readonly kind: "missing" }
  /** The customer has to sign in. */
  | { readonly kind: "denied" }
  | { readonly kind: "unreachable" };

/** An order that is read at once and again whenever `reload` is called. */
export interface OrderLoader extends Pick<Observable<LoadedOrder>, "get" | "subscribe"> {
  /** Reads it again; calls while a reading is under way are one more reading. */
  reload(): void;
}

/** Reads an order, with backoff for as long as it takes, until `signal` is aborted. */
export function createOrderLoader(
  session: TokenSource,
  orderId: string,
  signal: AbortSignal,
): OrderLoader {
  const state = createObservable<LoadedOrder>({ kind: "loading" });
  let underWay = false;
  let again = false;

  const readOnce = async (): Promise<boolean> => {
    const answer = await getOrder(session, orderId, signal);
    if (answer.kind === "ok") {
      state.set({ kind: "order", order: answer.body, reachable: true });
      return true;
    }
    if (answer.kind === "problem" && answer.problem.status < 500 && answer.problem.status !== 429) {
      state.set({ kind: answer.problem.status === 401 ? "denied" : "missing" });
      return true;
    }
    const known = state.get();
    state.set(known.kind === "order" ? { ...known, reachable: false } : { kind: "unreachable" });
    return false;
  };

  const read = async (): Promise<void> => {
    do {
      again = false;
      for (let failures = 0; !(await readOnce()); failures += 1) {
        await pause(backoffMs(failures, Math.random()), signal);
      }
    } while (again);
  };

  const reload = (): void => {
    again = true;
    if (underWay) return;
    underWay = true;
    read()
      // Only an abort ends a reading with an error.
      .catch(() => {})
      .finally(() => {
        underWay = false;
      });
  };
  reload();
  return { get: state.get, subscribe: state.subscribe, reload };
}
