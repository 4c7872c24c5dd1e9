import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import { countUnits } from "../basket/basket.ts";
import { basketControl } from "../basket/basket-control.ts";
import type { Shop, View } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import { pictureOf } from "../ui/picture.ts";
import { stockNote } from "./product.ts";
import { listingPath } from "./search.ts";
import { wantBasket } from "./want-basket.ts";

/** One product, with its picture, description, price and live stock. */
export function createProductView(shop: Shop, productId: string): View {
  const { catalogue } = shop;
  const release = wantBasket(shop, [productId]);
  const product = (): Product | undefined => catalogue.find(productId);
  return {
    get title() {
      return `${product()?.name ?? "Product"} · SmartCart`;
    },
    get description() {
      return product()?.description ?? "";
    },
    render: () => {
      const found = product();
      if (found) return productTemplate(shop, found);
      return catalogue.get().missing.has(productId) ? missing(productId) : loading(shop);
    },
    close: release,
  };
}

function productTemplate(shop: Shop, product: Product): TemplateResult {
  const { productId, name, category } = product;
  const stock = stockNote(product);
  const units = countUnits(shop.basket.get());
  return html`
    <nav class="crumbs" aria-label="Breadcrumb">
      <a href="/">Shop</a>
      <span aria-hidden="true">›</span>
      <a href=${listingPath({ query: "", category })}>${category}</a>
    </nav>
    <article class="product-page" data-product=${productId}>
      <div class="picture">${pictureOf(product)}</div>
      <div class="product-facts">
        <h1 tabindex="-1">${name}</h1>
        <p class="price">${formatMoney(product.price)}</p>
        <p class="stock ${stock.level}" data-stock=${product.available ?? 0}>${stock.text}</p>
        <p class="about">${product.description}</p>
        <p class="row">
          ${basketControl(shop, product)}
          ${units > 0 ? html`<a class="button primary" href="/checkout">Check out</a>` : nothing}
        </p>
      </div>
    </article>
  `;
}

function loading({ catalogue }: Shop): TemplateResult {
  const isAway = ["stale", "unreachable"].includes(catalogue.get().freshness);
  return html`
    <article class="product-page" aria-busy="true">
      <div class="blank"></div>
      <div class="product-facts">
        <h1 tabindex="-1" class="muted">${isAway ? "The catalogue is unreachable" : "Loading…"}</h1>
        ${isAway ? html`<p role="status">This page shows the product as soon as the shop answers.</p>` : nothing}
      </div>
    </article>
  `;
}

function missing(productId: string): TemplateResult {
  return html`
    <h1 tabindex="-1">Product not found</h1>
    <p>The shop has no product <span class="order-id">${productId}</span>. The link may be outdated or incomplete.</p>
    <p><a class="button primary" href="/">Go to the shop</a></p>
  `;
}
