import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { OrderItemJson } from "@smartcart/gen/order/v1/order_pb";
import type { Problem } from "../api/problem.ts";
import type { PriceList } from "../basket/basket-total.ts";
import { formatMoney } from "../ui/money.ts";

/** Nothing was ordered, since the order costs something else than the customer saw: asks, with both prices. */
export function priceChangedNotice({ items }: Problem, seen: PriceList): TemplateResult {
  return html`
    <div class="notice warn" role="alert" tabindex="-1" data-outcome="price-changed">
      <h2>A price has changed</h2>
      <p>Nothing was ordered and nothing was charged. The summary has the new prices: pay if you agree.</p>
      <ul>
        ${items.map((item) => changedLine(item, formatMoney(seen.find(item.productId ?? "")?.price)))}
      </ul>
    </div>
  `;
}

/** After a reload the old price is not known any more. */
function changedLine(
  { name, unitPrice }: OrderItemJson,
  old: string,
): TemplateResult | typeof nothing {
  const now = formatMoney(unitPrice);
  if (old === now) return nothing;
  return html`<li><strong>${name}</strong>: ${old ? html`<s>${old}</s> → ` : nothing}${now}</li>`;
}
