import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import type { OrderItemRequestJson } from "@smartcart/gen/order/v1/order_pb";
import type { Shop } from "../shop.ts";
import { pictureOf } from "../ui/picture.ts";

/** The lines of an order that was sent: to be read, not to be changed. */
export function sentLines(shop: Shop, items: readonly OrderItemRequestJson[]): TemplateResult {
  return html`
    <ul class="lines">
      ${items.map(({ productId = "", quantity = 0 }) => {
        const product = shop.catalogue.find(productId);
        return html`
          <li class="line">
            <span class="line-name"><span class="mini" aria-hidden="true">${pictureOf(product)}</span> ${product?.name ?? productId}</span>
            <span class="line-price">× ${quantity}</span>
          </li>
        `;
      })}
    </ul>
  `;
}
