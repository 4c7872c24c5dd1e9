import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import { countUnits } from "../basket/basket.ts";
import { basketLines } from "../basket/basket-lines.ts";
import { basketTotal } from "../basket/basket-total.ts";
import type { Shop, View } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import type { CatalogueState } from "./catalogue.ts";
import { productsByCategory } from "./product.ts";
import { productCard } from "./product-card.ts";
import { searchProducts } from "./search.ts";
import type { SearchBox } from "./search-box.ts";
import { createSearchBox, hitsInWords } from "./search-box.ts";

/** The catalogue with live stock, and the basket beside it. */
export function createShopView(shop: Shop): View {
  const release = shop.catalogue.use();
  const search = createSearchBox(
    shop,
    (query) => searchProducts(shop.catalogue.get().products, query).length,
  );
  return {
    title: "Shop · SmartCart",
    render: () => html`
      <div class="shop-head">
        <div>
          <h1 tabindex="-1">Shop</h1>
          ${freshnessNote(shop.catalogue.get())}
        </div>
        ${search.render()}
      </div>
      <div class="columns">
        <div>${shelves(shop, search)}</div>
        ${basketAside(shop)}
      </div>
      ${basketBar(shop)}
    `,
    close() {
      search.close();
      release();
    },
  };
}

function freshnessNote({ freshness }: CatalogueState): TemplateResult {
  const notes = {
    loading: html`<span class="dot wait"></span>Loading the catalogue…`,
    live: html`<span class="dot live"></span>Stock is live`,
    stale: html`<span class="dot off"></span>Stock may be out of date. Reconnecting…`,
    unreachable: html`<span class="dot off"></span>The catalogue is unreachable. Retrying…`,
  };
  return html`<p class="freshness" role="status" data-freshness=${freshness}>${notes[freshness]}</p>`;
}

function shelves(shop: Shop, search: SearchBox): TemplateResult {
  const { products, freshness } = shop.catalogue.get();
  if (products.length === 0) {
    // As much room as the first shelf will take, so that nothing jumps when it comes.
    const blanks = freshness === "loading" ? Array.from({ length: 6 }) : [];
    return html`<ul class="products" aria-hidden="true">${blanks.map(() => html`<li class="product blank"></li>`)}</ul>`;
  }
  const query = search.query().trim();
  const hits = searchProducts(products, query);
  if (hits.length === 0) return nothingFound(query, search);
  if (query) return html`<p class="hits muted">${hitsInWords(hits.length)}</p>${grid(shop, hits)}`;
  return html`${[...productsByCategory(hits)].map(
    ([shelf, onIt]) => html`
      <section class="shelf" aria-label=${shelf}>
        <h2>${shelf}</h2>
        ${grid(shop, onIt)}
      </section>
    `,
  )}`;
}

function grid(shop: Shop, products: readonly Product[]): TemplateResult {
  return html`
    <ul class="products">
      ${repeat(
        products,
        (product) => product.productId,
        (product) => productCard(shop, product),
      )}
    </ul>
  `;
}

function nothingFound(query: string, search: SearchBox): TemplateResult {
  const showAll = (): void => {
    search.set("");
    document.getElementById("search")?.focus();
  };
  return html`
    <div class="panel empty" data-nothing-found>
      <h2>Nothing found</h2>
      <p>No product has “${query}” in its name, description or category.</p>
      <p><button type="button" class="button" @click=${showAll}>Show everything</button></p>
    </div>
  `;
}

function basketAside(shop: Shop): TemplateResult {
  const lines = shop.basket.get();
  return html`
    <aside class="panel basket-aside" aria-labelledby="basket-heading">
      <h2 id="basket-heading" tabindex="-1">Basket</h2>
      ${
        lines.length === 0
          ? html`<p class="muted">Your basket is empty.</p>`
          : html`
              ${basketLines(shop)}
              <p><a class="button primary wide" href="/checkout">Check out</a></p>
            `
      }
    </aside>
  `;
}

// What stands beside the shelves on a wide screen is one line at the foot of a narrow one.
function basketBar(shop: Shop): TemplateResult | typeof nothing {
  const lines = shop.basket.get();
  if (lines.length === 0) return nothing;
  const units = countUnits(lines);
  return html`
    <div class="basket-bar">
      <span>${units} ${units === 1 ? "item" : "items"} · ${formatMoney(basketTotal(shop.catalogue, lines))}</span>
      <a class="button primary" href="/checkout">Check out</a>
    </div>
  `;
}
