import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import { addUnit, quantityOf } from "../basket/basket.ts";
import type { Shop } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import { pictureOf } from "../ui/picture.ts";
import { stockNote } from "./product.ts";

/** A product on its shelf, with its stock and the button that puts it into the basket. */
export function productCard(shop: Shop, product: Product): TemplateResult {
  const { productId, name } = product;
  const stock = stockNote(product);
  const inBasket = quantityOf(shop.basket.get(), productId);
  const add = () => {
    const basket = addUnit(shop.basket.get(), productId);
    shop.basket.set(basket);
    shop.announce(`${name}: ${quantityOf(basket, productId)} in the basket`);
  };
  // Not `disabled`: a focused button would lose the focus when the last unit is sold.
  const used = stock.level === "none" || inBasket >= (product.available ?? 0);
  return html`
    <li class="product" data-product=${productId}>
      <span class="picture">
        <span aria-hidden="true">${pictureOf(product)}</span>
        ${
          inBasket > 0
            ? html`<span class="badge">${inBasket}<span class="visually-hidden"> in the basket</span></span>`
            : nothing
        }
      </span>
      <div class="product-text">
        <h3>${name}</h3>
        <p class="description">${product.description}</p>
      </div>
      <div class="product-foot">
        <p class="price">${formatMoney(product.price)}</p>
        <p class="stock ${stock.level}" data-stock=${product.available ?? 0}>${stock.text}</p>
        <button
          type="button"
          class="button"
          aria-disabled=${used ? "true" : nothing}
          @click=${used ? nothing : add}
        >
          Add<span class="visually-hidden"> ${name} to the basket</span>
        </button>
      </div>
    </li>
  `;
}
