import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import { basketControl } from "../basket/basket-control.ts";
import { productPath } from "../route.ts";
import type { Shop } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import { pictureOf } from "../ui/picture.ts";
import { stockNote } from "./product.ts";

/** A product in the shop, with its stock and what puts it into the basket. */
export function productCard(shop: Shop, product: Product): TemplateResult {
  const { productId, name } = product;
  const stock = stockNote(product);
  return html`
    <li class="product" data-product=${productId}>
      <span class="picture">${pictureOf(product)}</span>
      <div class="product-text">
        <h3><a href=${productPath(productId)}>${name}</a></h3>
        <p class="description">${product.description}</p>
      </div>
      <div class="product-foot">
        <p class="price">${formatMoney(product.price)}</p>
        <p class="stock ${stock.level}" data-stock=${product.available ?? 0}>${stock.text}</p>
        ${basketControl(shop, product)}
      </div>
    </li>
  `;
}
