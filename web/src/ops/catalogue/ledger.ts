import type { StockAdjustment } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";

/** The stock ledger of one product, newest entry first. */
export interface Ledger {
  get(): LedgerState;
  /** Begins with the newest entries of a product; "" for none. */
  open(productId: string): void;
  /** Reads the newest entries again. */
  reload(): void;
  /** Reads older entries. */
  more(): void;
}

export interface LedgerState {
  readonly productId: string;
  readonly entries: readonly StockAdjustment[];
  readonly nextToken: string;
  /** Why it cannot be read, or "". */
  readonly complaint: string;
  readonly isRead: boolean;
}

const pageSize = 10;
const unread = { entries: [], nextToken: "", complaint: "", isRead: false };

export function createLedger({ shop, catalogue, access, signal }: Console): Ledger {
  let state: LedgerState = { ...unread, productId: "" };
  const change = (productId: string, part: Partial<LedgerState>): void => {
    if (productId !== state.productId) return;
    state = { ...state, ...part, isRead: true };
    shop.refresh();
  };
  const read = async (pageToken: string): Promise<void> => {
    const { productId } = state;
    try {
      const request = { productId, pageToken, pageSize: pageSize };
      const answer = await catalogue.listStockAdjustments(request, { signal });
      const { adjustments, nextPageToken: nextToken } = answer;
      const entries = pageToken === "" ? adjustments : [...state.entries, ...adjustments];
      change(productId, { entries, nextToken, complaint: "" });
    } catch (error) {
      if (signal.aborted) return;
      change(productId, { complaint: access.isDenied(error) ? "" : complaintOf(error) });
    }
  };
  return {
    get: () => state,
    open(productId) {
      state = { ...unread, productId };
      if (productId !== "") void read("");
    },
    reload: () => void read(""),
    more: () => void read(state.nextToken),
  };
}
