import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { Shop } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import { pictureOf } from "../ui/picture.ts";
import type { Basket, BasketLine } from "./basket.ts";
import { maxQuantity, quantityOf, setQuantity } from "./basket.ts";
import { basketTotal, hasMixedCurrencies } from "./basket-total.ts";

/** The basket for changing it, with its total. `errors` are the backend's words on a line, by its position. */
export function basketLines(
  shop: Shop,
  errors: ReadonlyMap<number, string> = new Map(),
): TemplateResult {
  const lines = shop.basket.get();
  return html`
    <ul class="lines">
      ${repeat(
        lines,
        (line) => line.productId,
        (line, index) => lineTemplate(shop, line, errors.get(index)),
      )}
    </ul>
    ${totalLine(shop, lines)}
  `;
}

/** The lines of an order that was sent: to be read, not to be changed. */
export function fixedLines(shop: Shop, lines: Basket): TemplateResult {
  return html`
    <ul class="lines">
      ${lines.map((line) => {
        const product = shop.catalogue.find(line.productId);
        return html`
          <li class="line">
            <span class="line-name">${pictureOf(product ?? line)} <span>${line.quantity} × ${product?.name ?? line.productId}</span></span>
            <span class="line-price">${formatMoney(basketTotal(shop.catalogue, [line]))}</span>
          </li>
        `;
      })}
    </ul>
    ${totalLine(shop, lines)}
  `;
}

function totalLine(shop: Shop, lines: Basket): TemplateResult {
  if (hasMixedCurrencies(shop.catalogue, lines)) {
    return html`<p class="field-error" data-mixed>These products have prices in different currencies. Order them separately.</p>`;
  }
  return html`<p class="total"><span>Total</span> <strong>${formatMoney(basketTotal(shop.catalogue, lines))}</strong></p>`;
}

function lineTemplate(shop: Shop, line: BasketLine, error: string | undefined): TemplateResult {
  const { productId, quantity } = line;
  const product = shop.catalogue.find(productId);
  const name = product?.name ?? productId;
  const set = (units: number) => {
    shop.basket.set(setQuantity(shop.basket.get(), productId, units));
    shop.announce(units > 0 ? `${name}: ${units} in the basket` : `${name} is out of the basket`);
    // The line went with the button that had the focus.
    if (units <= 0) shop.focus("#basket-heading");
  };
  // From the basket as it is, not as it was drawn: clicks can come faster than frames.
  const change = (by: number) => set(quantityOf(shop.basket.get(), productId) + by);
  // At each key, so that nothing typed is lost however the page is left; half-typed numbers change nothing.
  const typing = (event: Event) => {
    const units = (event.target as HTMLInputElement).valueAsNumber;
    if (units >= 1) set(units);
  };
  const typed = (event: Event) => {
    const field = event.target as HTMLInputElement;
    if (field.valueAsNumber === 0) set(0);
    else field.value = String(quantityOf(shop.basket.get(), productId));
  };
  const note = error ?? shortage(quantity, product?.available);
  const noteId = `line-note-${productId}`;
  return html`
    <li class="line" data-line=${productId}>
      <span class="line-name">${pictureOf(product ?? line)} <span>${name}</span></span>
      <span class="line-price">${formatMoney(basketTotal(shop.catalogue, [line]))}</span>
      <span class="stepper">
        <button type="button" aria-label=${`One ${name} less`} @click=${() => change(-1)}>−</button>
        <input
          type="number"
          inputmode="numeric"
          min="0"
          max=${maxQuantity}
          aria-label=${`Quantity of ${name}`}
          aria-invalid=${note ? "true" : nothing}
          aria-describedby=${note ? noteId : nothing}
          .value=${String(quantity)}
          @input=${typing}
          @change=${typed}
        />
        <button type="button" aria-label=${`One ${name} more`} @click=${() => change(1)}>+</button>
      </span>
      <button type="button" class="quiet" aria-label=${`Remove ${name}`} @click=${() => set(0)}>Remove</button>
      ${note ? html`<p class="field-error" id=${noteId}>${note}</p>` : nothing}
    </li>
  `;
}

// Only a word in advance: whether there is enough is decided when the order is placed.
function shortage(quantity: number, available: number | undefined): string | undefined {
  if (available === undefined || quantity <= available) return undefined;
  return available > 0 ? `Only ${available} left.` : "Sold out at the moment.";
}
