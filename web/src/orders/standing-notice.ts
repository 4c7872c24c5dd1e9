import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { formatMoney } from "../ui/money.ts";

/** What an order that did not simply go through means, and the way on. */
export function standingNotice(
  order: OrderJson,
  onReorder: () => void,
): TemplateResult | typeof nothing {
  switch (order.status) {
    case "PENDING":
      return html`
        <div class="notice warn" role="status">
          <h2>Not decided yet</h2>
          <p>
            The order is stored and will not be lost; whether the payment went through is still being found out. It
            settles by itself and this page will say so. There is no need to order again.
          </p>
        </div>
      `;
    case "REJECTED":
      return html`
        <div class="notice bad" role="status">
          <h2>${order.rejection?.code === "OUT_OF_STOCK" ? "Not enough in stock" : "The payment was declined"}</h2>
          <p>The order ended here, and nothing is owed. ${shortage(order)}</p>
          ${again(onReorder)}
        </div>
      `;
    case "CANCELLED":
      return html`
        <div class="notice" role="status">
          <h2>Cancelled</h2>
          <p>${formatMoney(order.total)} goes back to the card that paid, and the items are on the shelf again.</p>
          ${again(onReorder)}
        </div>
      `;
    default:
      return nothing;
  }
}

function shortage({ rejection, items = [] }: OrderJson): string {
  if (rejection?.reason) return `The bank says ${rejection.reason}.`;
  return (rejection?.lines ?? [])
    .map(({ productId, requested = 0, available = 0 }) => {
      const name = items.find((item) => item.productId === productId)?.name ?? productId;
      return `${name}: ${requested} wanted, ${available} left.`;
    })
    .join(" ");
}

function again(onReorder: () => void): TemplateResult {
  return html`<p><button type="button" class="button" @click=${onReorder}>Put these items into the basket</button></p>`;
}
