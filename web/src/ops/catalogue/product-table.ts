import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { formatMoney } from "../../ui/money.ts";
import { formatCount } from "../../ui/numbers.ts";
import { pictureOf } from "../../ui/picture.ts";
import type { ProductList } from "./product-list.ts";

interface ProductTableOptions {
  /** The product that is being edited, "" for none. */
  readonly openId: string;
  /** The note below the table. */
  readonly editor: () => TemplateResult;
  readonly edit: (product: CatalogueProduct) => void;
}

/** Fewer units than this are marked. */
const lowStock = 6;

/** One page of the catalogue; a product is edited in place, below its row. */
export function productTable(list: ProductList, options: ProductTableOptions): TemplateResult {
  const products = list.products();
  const idOf = ({ product }: CatalogueProduct): string => product?.productId ?? "";
  // What comes into an empty table must not push about what can be seen below it.
  const isBlank = products.length === 0 && list.note() === "loading";
  return html`
    <div class=${isBlank ? "blank-console" : ""}>
    <table class="product-table" data-products=${products.length} aria-busy=${list.note() === "loading" ? "true" : nothing}>
      <thead>
        <tr>
          <th scope="col">Product</th><th scope="col">Category</th><th scope="col" class="number">Price</th>
          <th scope="col" class="number">Available</th><th scope="col" class="number">Reserved</th><th scope="col">State</th>
          <td></td>
        </tr>
      </thead>
      <tbody>${repeat(products, idOf, (product) => rows(product, options))}</tbody>
    </table>
    </div>
  `;
}

function rows(
  entry: CatalogueProduct,
  { openId, editor, edit }: ProductTableOptions,
): TemplateResult | typeof nothing {
  const { product, reserved } = entry;
  if (!product) return nothing;
  const { productId, name, category, price, archived } = product;
  const available = product.available ?? 0;
  const isOpen = productId === openId;
  return html`
    <tr data-product=${productId} class=${isOpen ? "open" : ""}>
      <th scope="row">
        <span class="product-cell">
          <span class="thumb">${pictureOf(product)}</span>
          <span><strong>${name}</strong> <code>${productId}</code></span>
        </span>
      </th>
      <td data-label="Category">${category}</td>
      <td data-label="Price" class="number">${formatMoney(price)}</td>
      <td data-label="Available" class="number ${available < lowStock && !archived ? "warn" : ""}" data-available=${available}>${formatCount(available)}</td>
      <td data-label="Reserved" class="number">${formatCount(reserved)}</td>
      <td data-label="State">${archived ? html`<span class="chip">archived</span>` : html`<span class="chip good">active</span>`}</td>
      <td>
        <button type="button" class="button small" data-edit=${productId} aria-expanded=${isOpen ? "true" : "false"}
          aria-label=${`${isOpen ? "Close" : "Edit"} ${name}`} @click=${() => edit(entry)}>${isOpen ? "Close" : "Edit"}</button>
      </td>
    </tr>
    ${isOpen ? html`<tr class="editor-row"><td colspan="7">${editor()}</td></tr>` : nothing}
  `;
}

/** Buttons for the pages, and the result of the search. */
export function pageBar(list: ProductList): TemplateResult {
  const note = list.note();
  const isLoading = note === "loading";
  const turn = (text: string, canTurn: boolean, go: () => void): TemplateResult => html`
    <button type="button" class="button small" aria-disabled=${canTurn && !isLoading ? nothing : "true"} @click=${() => canTurn && !isLoading && go()}>${text}</button>
  `;
  return html`
    <p class="row page-bar" role="status" data-search=${isLoading ? "loading" : note ? "failed" : "done"}>
      ${turn("Previous", list.hasPrevious(), list.previous)} ${turn("Next", list.hasNext(), list.next)}
      <button type="button" class="button small" @click=${list.reload}>Refresh</button>
      <span class=${note && !isLoading ? "bad" : "muted"}>${isLoading ? "Searching…" : note || found(list)}</span>
    </p>
  `;
}

function found(list: ProductList): string {
  const count = list.products().length;
  if (count === 0) return "No product matches.";
  if (!list.hasNext() && !list.hasPrevious()) {
    return count === 1 ? "1 product." : `${count} products.`;
  }
  return `${count} products on this page.`;
}
