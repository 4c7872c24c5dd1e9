import type { TemplateResult } from "lit-html";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { formatCount } from "../../ui/numbers.ts";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { AdjustmentState } from "./adjustment.ts";
import { newAdjustment, unitsOf } from "./adjustment.ts";
import { createLedger } from "./ledger.ts";
import { fieldOfComplaint } from "./product-draft.ts";
import { stockTemplate } from "./stock-template.ts";

/** The stock of the product that is open: its ledger, and what adds to it. */
export interface StockEditor {
  /** Shows the stock of a product; "" for none. */
  open(productId: string): void;
  render(): TemplateResult;
}

export function createStockEditor(
  operations: Console,
  onChange: (product: CatalogueProduct) => void,
): StockEditor {
  const { shop, catalogue, access, signal } = operations;
  const ledger = createLedger(operations);
  let state = newAdjustment();
  const change = (part: Partial<AdjustmentState>): void => {
    state = { ...state, ...part };
    shop.refresh();
  };

  const send = async (): Promise<void> => {
    const { adjustmentId, draft, isSending } = state;
    const { productId } = ledger.get();
    const delta = unitsOf(draft);
    if (isSending) return;
    if (delta === 0) return change({ problem: "Enter units with a sign: 12, or -3.", done: "" });
    change({ isSending: true, problem: "", done: "" });
    const isOpen = () => adjustmentId === state.adjustmentId;
    try {
      const request = { adjustmentId, productId, delta, reason: draft.reason, note: draft.remark };
      const { adjustment } = await catalogue.adjustStock(request, { signal });
      const done = `Done: ${formatCount(adjustment?.availableAfter ?? 0)} available.`;
      if (isOpen()) change({ ...newAdjustment(), done });
      const { product } = await catalogue.getCatalogueProduct({ productId }, { signal });
      if (product) onChange(product);
    } catch (error) {
      signal.throwIfAborted();
      const problem = access.isDenied(error) ? "" : fieldOfComplaint(complaintOf(error))[1];
      if (isOpen()) change({ isSending: false, problem });
    }
    ledger.reload();
  };

  return {
    open(productId) {
      state = newAdjustment();
      ledger.open(productId);
    },
    render: () =>
      stockTemplate(state, ledger.get(), {
        // A changed adjustment gets a new id: the earlier one may have been carried out.
        type: (part) => change({ ...newAdjustment(), draft: { ...state.draft, ...part } }),
        // A rejection means that the console was left.
        send: () => void send().catch(() => {}),
        more: ledger.more,
      }),
  };
}
