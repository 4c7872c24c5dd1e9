import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import { countUnits } from "../basket/basket.ts";
import { basketLines } from "../basket/basket-lines.ts";
import { basketTotal } from "../basket/basket-total.ts";
import type { Shop, View } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import type { CatalogueState } from "./catalogue-state.ts";
import { productsByCategory } from "./product.ts";
import { productCard } from "./product-card.ts";
import { hitsInWords } from "./search.ts";
import type { SearchBox } from "./search-box.ts";
import { createSearchBox } from "./search-box.ts";
import { wantBasket } from "./want-basket.ts";

/** The catalogue with live stock, page by page, and the basket beside it. */
export function createShopView(shop: Shop): View {
  const { catalogue } = shop;
  const search = createSearchBox(shop);
  const release = wantBasket(shop);
  let listed = catalogue.get().listing;
  const end = catalogue.subscribe(() => {
    const { listing } = catalogue.get();
    const { productIds, nextPageToken, phase } = listing;
    const isNew = listing.query !== listed.query || listing.category !== listed.category;
    if (phase !== "ready") return;
    listed = listing;
    if (isNew) shop.announce(hitsInWords(productIds.length, nextPageToken !== ""));
  });
  return {
    title: "Shop · SmartCart",
    description: "A small shop on the SmartCart order backend.",
    render: () => html`
      <div class="shop-head">
        <div>
          <h1 tabindex="-1">Shop</h1>
          ${freshnessNote(catalogue.get())}
        </div>
        ${search.render(catalogue.get().categories)}
      </div>
      <div class="columns">
        <div>${listing(shop, search)}</div>
        ${basketAside(shop)}
      </div>
      ${basketBar(shop)}
    `,
    close() {
      end();
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

function listing(shop: Shop, search: SearchBox): TemplateResult {
  const { products, listing, freshness } = shop.catalogue.get();
  const listed = listing.productIds.flatMap((id) => products.get(id) ?? []);
  if (listed.length === 0 && listing.phase === "loading") {
    // As much room as the first products will take, so that nothing jumps when they come.
    const blanks = freshness === "unreachable" ? [] : Array.from({ length: 9 });
    return html`<ul class="products" aria-hidden="true">${blanks.map(() => html`<li class="product blank"></li>`)}</ul>`;
  }
  if (listed.length === 0) return nothingFound(listing.query, search);
  const hasMore = listing.nextPageToken !== "";
  const hits = hitsInWords(listed.length, hasMore);
  return html`
    ${
      listing.query
        ? html`<p class="hits muted">${hits}</p>${grid(shop, listed)}`
        : [...productsByCategory(listed)].map(
            ([category, products]) => html`
              <section class="product-category" aria-label=${category}>
                <h2>${category}</h2>
                ${grid(shop, products)}
              </section>
            `,
          )
    }
    ${hasMore ? moreButton(shop, listing.phase === "more") : nothing}
  `;
}

function moreButton({ catalogue }: Shop, isLoading: boolean): TemplateResult {
  return html`
    <p class="more">
      <button
        type="button"
        class="button"
        data-more-products
        aria-disabled=${isLoading ? "true" : nothing}
        @click=${catalogue.more}
      >
        ${isLoading ? "Loading…" : "Show more products"}
      </button>
    </p>
  `;
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
    search.set({ query: "", category: "" });
    document.getElementById("search")?.focus();
  };
  return html`
    <div class="panel empty" data-nothing-found>
      <h2>Nothing found</h2>
      <p>${query ? html`No product has “${query}” in its name, description or category.` : "There are no products here yet."}</p>
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

// What stands beside the categories on a wide screen is one line at the foot of a narrow one.
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
