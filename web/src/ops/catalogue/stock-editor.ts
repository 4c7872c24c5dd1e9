import type { TemplateResult } from "lit-html";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import type { StockAdjustment } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import { StockAdjustmentReason as Reason } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import { formatCount } from "../../ui/numbers.ts";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import { fieldOfComplaint } from "./product-draft.ts";
import { stockTemplate } from "./stock-template.ts";

/** The stock of the product that is open: its ledger, and what adds to it. */
export interface StockEditor {
  open(productId: string): void;
  close(): void;
  render(): TemplateResult;
}

/** What is typed: units with a sign, why, and a remark. */
export interface AdjustmentDraft {
  readonly delta: string;
  readonly reason: Reason;
  readonly remark: string;
}

export interface StockState {
  readonly productId: string;
  readonly draft: AdjustmentDraft;
  /** The same for every attempt at this draft: it counts once, however often it is sent. */
  readonly adjustmentId: string;
  readonly isSending: boolean;
  readonly problem: string;
  readonly done: string;
  readonly ledger: readonly StockAdjustment[];
  readonly nextToken: string;
  /** Why the ledger cannot be read, or "". */
  readonly complaint: string;
  readonly isRead: boolean;
}

const emptyDraft: AdjustmentDraft = { delta: "", reason: Reason.RECEIVED, remark: "" };
const PAGE_SIZE = 10;

const closed: StockState = {
  productId: "",
  draft: emptyDraft,
  adjustmentId: "",
  isSending: false,
  problem: "",
  done: "",
  ledger: [],
  nextToken: "",
  complaint: "",
  isRead: false,
};

export function createStockEditor(
  { shop, catalogue, access, signal }: Console,
  onChange: (product: CatalogueProduct) => void,
): StockEditor {
  let state = closed;
  const change = (part: Partial<StockState>): void => {
    state = { ...state, ...part };
    shop.refresh();
  };
  const wordsOf = (error: unknown): string => {
    signal.throwIfAborted();
    return access.isDenied(error) ? "" : fieldOfComplaint(complaintOf(error))[1];
  };

  const read = async (productId: string, pageToken: string): Promise<void> => {
    try {
      const request = { productId, pageToken, pageSize: PAGE_SIZE };
      const { adjustments, nextPageToken } = await catalogue.listStockAdjustments(request, {
        signal,
      });
      if (productId !== state.productId) return;
      const ledger = pageToken === "" ? adjustments : [...state.ledger, ...adjustments];
      change({ ledger, nextToken: nextPageToken, complaint: "", isRead: true });
    } catch (error) {
      const complaint = wordsOf(error);
      if (productId === state.productId) change({ complaint, isRead: true });
    }
  };

  const send = async (): Promise<void> => {
    const { productId, adjustmentId, draft, isSending } = state;
    if (isSending) return;
    const delta = /^[+-]?\d{1,7}$/.test(draft.delta.trim()) ? Number(draft.delta) : 0;
    if (delta === 0) return change({ problem: "Enter units with a sign: 12, or -3.", done: "" });
    change({ isSending: true, problem: "", done: "" });
    try {
      const { reason, remark: note } = draft;
      const request = { adjustmentId, productId, delta, reason, note };
      const { adjustment } = await catalogue.adjustStock(request, { signal });
      const done = `Done: ${formatCount(adjustment?.availableAfter ?? 0)} available.`;
      const { product } = await catalogue.getCatalogueProduct({ productId }, { signal });
      if (product) onChange(product);
      if (productId !== state.productId) return;
      change({ draft: emptyDraft, adjustmentId: crypto.randomUUID(), isSending: false, done });
    } catch (error) {
      const problem = wordsOf(error);
      if (productId === state.productId) change({ isSending: false, problem });
    }
    await read(productId, "");
  };

  // A rejection means that the console was left.
  const quietly = (work: Promise<void>): void => void work.catch(() => {});
  return {
    open(productId) {
      state = { ...closed, productId, adjustmentId: crypto.randomUUID() };
      quietly(read(productId, ""));
    },
    close() {
      state = closed;
    },
    render: () =>
      stockTemplate(state, {
        type: (part) =>
          change({
            draft: { ...state.draft, ...part },
            // Another adjustment is not the one that may have been carried out.
            adjustmentId: crypto.randomUUID(),
            done: "",
          }),
        send: () => quietly(send()),
        more: () => quietly(read(state.productId, state.nextToken)),
      }),
  };
}
