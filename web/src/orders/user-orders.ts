import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { listOrders } from "../api/orders.ts";
import type { Shop } from "../shop.ts";

/** What the page "My orders" shows. Pages that were loaded stay while the next one is read. */
export interface OrdersState {
  /** User whose orders are shown; "" until one is known. */
  readonly userId: string;
  readonly orders: readonly OrderJson[];
  readonly nextPageToken: string;
  /** "denied": the customer has to sign in, as the banner says. */
  readonly phase: "idle" | "loading" | "loaded" | "denied" | "unreachable";
  /** Error message of the last request; "" if it succeeded. */
  readonly complaint: string;
}

/** The orders of one user at a time, page by page. */
export interface UserOrders {
  get(): OrdersState;
  /** Loads the first page of a user's orders. Does nothing more than forget the others for the user "". */
  show(userId: string): void;
  /** Loads the next page. */
  more(): void;
}

export function createUserOrders(shop: Shop, signal: AbortSignal): UserOrders {
  const emptyState: OrdersState = {
    userId: "",
    orders: [],
    nextPageToken: "",
    phase: "idle",
    complaint: "",
  };
  let state = emptyState;
  const change = (next: Partial<OrdersState>): void => {
    state = { ...state, ...next };
    shop.refresh();
  };
  const load = async (pageToken: string): Promise<void> => {
    const { userId } = state;
    change({ phase: "loading", complaint: "" });
    const answer = await listOrders(shop.session, userId, pageToken, signal);
    // The page shows another user's orders by now.
    if (state.userId !== userId) return;
    if (answer.kind === "ok") {
      const { orders = [], nextPageToken = "" } = answer.body;
      const before = pageToken === "" ? [] : state.orders;
      return change({ orders: [...before, ...orders], nextPageToken, phase: "loaded" });
    }
    const problem = answer.kind === "problem" ? answer.problem : undefined;
    if (problem?.status === 401) return change({ phase: "denied" });
    change({ phase: "unreachable", complaint: problem ? problem.detail || problem.title : "" });
  };
  // A load rejects only when the view is left.
  const loadQuietly = (pageToken: string): void => void load(pageToken).catch(() => {});
  return {
    get: () => state,
    show(userId) {
      change({ ...emptyState, userId });
      if (userId !== "") loadQuietly("");
    },
    more: () => loadQuietly(state.nextPageToken),
  };
}
