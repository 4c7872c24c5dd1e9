import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import type { Shop } from "../shop.ts";
import { quantityOf, setQuantity } from "./basket.ts";

/** "Add", and once the product is in the basket, a stepper for its units. */
export function basketControl(shop: Shop, product: Product): TemplateResult {
  const { productId, name, available = 0 } = product;
  const units = quantityOf(shop.basket.get(), productId);
  const change = (by: number, focus: string): void => {
    // From the basket as it is, not as it was drawn: clicks can come faster than frames.
    const basket = shop.basket.get();
    const next = setQuantity(basket, productId, quantityOf(basket, productId) + by);
    shop.basket.set(next);
    shop.announce(`${name}: ${quantityOf(next, productId)} in the basket`);
    // The button that was pressed may be another one now.
    if (units === 0 || units + by === 0)
      shop.focus(`[data-control="${CSS.escape(productId)}"] ${focus}`);
  };
  // Not `disabled`: a focused button would lose the focus when the last unit is sold.
  const isSpent = product.archived || units >= available;
  const spent = isSpent ? "true" : nothing;
  const more = isSpent ? nothing : () => change(1, "[data-more]");
  if (units === 0) {
    return html`
      <span class="basket-control" data-control=${productId}>
        <button type="button" class="button" data-add aria-disabled=${spent} @click=${more}>
          Add<span class="visually-hidden"> ${name} to the basket</span>
        </button>
      </span>
    `;
  }
  return html`
    <span class="basket-control stepper" role="group" aria-label="${name} in the basket" data-control=${productId}>
      <button type="button" aria-label="Remove one ${name}" @click=${() => change(-1, "[data-add]")}>−</button>
      <output class="units">${units}</output>
      <button type="button" data-more aria-label="Add one more ${name}" aria-disabled=${spent} @click=${more}>+</button>
    </span>
  `;
}
