import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { OrderSummary } from "@smartcart/gen/order/v1/order_admin_service_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { OrderQuery } from "./order-query.ts";
import { anyOrder, requestOf } from "./order-query.ts";

/** Orders that were searched for, page by page. */
export interface OrderSearch {
  query(): OrderQuery;
  orders(): readonly OrderSummary[];
  /** "loading", an error message, or "". */
  note(): string;
  hasMore(): boolean;
  /** Until when the search has looked back; undefined before the first answer. */
  searchedBackTo(): Timestamp | undefined;
  /** Begins a search; the one before is dropped. */
  ask(query: OrderQuery): void;
  /** Looks at older orders. */
  more(): void;
}

/** Pages without a match that are skipped at once: 2,000 orders each. After them a person decides. */
const maxEmptyPages = 10;

interface State {
  query: OrderQuery;
  orders: readonly OrderSummary[];
  token: string;
  note: string;
  searchedBackTo: Timestamp | undefined;
  hasAnswer: boolean;
}

const nothing = { orders: [], token: "", note: "", searchedBackTo: undefined, hasAnswer: false };

export function createOrderSearch({ shop, orders, access, signal }: Console): OrderSearch {
  let state: State = { ...nothing, query: anyOrder };

  const read = async (mine: State): Promise<void> => {
    mine.note = "loading";
    shop.refresh();
    try {
      const before = mine.orders.length;
      for (let pages = 0; pages < maxEmptyPages && mine === state; pages += 1) {
        const request = requestOf(mine.query, mine.token);
        const answer = await orders.searchOrders(request, { signal, timeoutMs: 6_000 });
        mine.orders = [...mine.orders, ...answer.orders];
        mine.token = answer.nextPageToken;
        mine.searchedBackTo = answer.searchedBackTo ?? mine.searchedBackTo;
        mine.hasAnswer = true;
        if (mine.orders.length > before || mine.token === "") break;
      }
      mine.note = "";
    } catch (error) {
      signal.throwIfAborted();
      mine.note = access.isDenied(error) ? "" : complaintOf(error);
    }
    shop.refresh();
  };
  // A rejection means that the console was left.
  const begin = (): void => void read(state).catch(() => {});

  return {
    query: () => state.query,
    orders: () => state.orders,
    note: () => state.note,
    hasMore: () => state.token !== "",
    searchedBackTo: () => (state.hasAnswer ? state.searchedBackTo : undefined),
    ask(query) {
      state = { ...nothing, query };
      begin();
    },
    more() {
      if (state.note !== "loading") begin();
    },
  };
}
