import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { formatMoney } from "../ui/money.ts";
import { paymentWords } from "./payment-words.ts";

/** What an order that did not simply go through means, and the way on. */
export function standingNotice(
  order: OrderJson,
  onReorder: () => void,
): TemplateResult | typeof nothing {
  switch (order.status) {
    case "PENDING":
      return html`
        <div class="notice warn" role="status">
          <h2>Outcome pending</h2>
          <p>
            The order is stored and cannot be lost. Its payment is still being checked; this page shows the outcome as
            soon as it is known. Do not order again.
          </p>
        </div>
      `;
    case "REJECTED":
      return html`
        <div class="notice bad" role="status">
          <h2>${rejectionTitle(order)}: not charged</h2>
          <p>The order is closed. ${shortage(order)}</p>
          ${again(onReorder)}
        </div>
      `;
    case "CANCELLED":
      return html`
        <div class="notice" role="status">
          <h2>Cancelled</h2>
          <p>${formatMoney(order.total)} is refunded to your card, and the items are back in stock.</p>
          ${again(onReorder)}
        </div>
      `;
    default:
      return nothing;
  }
}

function rejectionTitle({ rejection }: OrderJson): string {
  if (rejection?.code === "OUT_OF_STOCK") return "Not enough in stock";
  return paymentWords(rejection?.reason).title;
}

function shortage({ rejection, items = [] }: OrderJson): string {
  if (rejection?.code === "PAYMENT_DECLINED") return paymentWords(rejection.reason).advice;
  return (rejection?.lines ?? [])
    .map(({ productId, requested = 0, available = 0 }) => {
      const name = items.find((item) => item.productId === productId)?.name ?? productId;
      return `${name}: ${requested} requested, ${available} available.`;
    })
    .join(" ");
}

function again(onReorder: () => void): TemplateResult {
  return html`<p><button type="button" class="button" @click=${onReorder}>Add these items to the basket</button></p>`;
}
