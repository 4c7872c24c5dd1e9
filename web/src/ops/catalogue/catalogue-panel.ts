import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { opsPath } from "../../route.ts";
import { createConfirmDialog } from "../confirm-dialog.ts";
import type { Console, Panel } from "../console.ts";
import { createExport } from "./goods-export.ts";
import { createImportPanel } from "./import-panel.ts";
import { createNewProduct } from "./new-product.ts";
import { createProductEditor } from "./product-editor.ts";
import { createProductList } from "./product-list.ts";
import type { ProductQuery } from "./product-query.ts";
import { productQueryIn, searchOf } from "./product-query.ts";
import { searchForm } from "./product-search.ts";
import { pageBar, productTable } from "./product-table.ts";

/** Products, prices and stock: searched, edited, imported. */
export interface CataloguePanel extends Panel {
  /** Lists the products of the query in the URL. */
  enter(search: string): void;
}

/** What is open above the table. */
type Open = "" | "new" | "import";

export function createCataloguePanel(operations: Console): CataloguePanel {
  const { shop } = operations;
  const list = createProductList(operations);
  const dialog = createConfirmDialog("Not now");
  let open: Open = "";
  const show = (what: Open): void => {
    open = open === what ? "" : what;
    if (open === "") shop.focus(`[data-open=${what}]`);
    else shop.focus(open === "new" ? "#new-productId" : "#import-file");
  };
  const search = (query: ProductQuery): void => {
    history.replaceState(null, "", `${opsPath("catalogue")}${searchOf(query)}`);
    list.ask(query);
  };
  const editor = createProductEditor(operations, dialog, list.replace);
  const newProduct = createNewProduct(operations, ({ product }) => {
    open = "";
    search({ ...productQueryIn(""), q: product?.productId ?? "" });
  });
  const goodsImport = createImportPanel(operations, list.reload);
  const goodsExport = createExport(operations, list.query);
  const edit = async (product: CatalogueProduct): Promise<void> => {
    if (await editor.mayClose()) editor.toggle(product);
  };

  return {
    enter: (text) => list.ask(productQueryIn(text)),
    render: () => html`
      <section class="panel catalogue" aria-labelledby="products-heading">
        <div class="panel-head">
          <h2 id="products-heading">Products</h2>
          <p class="row">
            ${opener("new", open, "Create product", show)} ${opener("import", open, "Import", show)} ${goodsExport.render()}
          </p>
        </div>
        ${open === "new" ? newProduct.render(list.categories()) : ""} ${open === "import" ? goodsImport.render() : ""}
        ${searchForm(list, search)}
        ${productTable(list, {
          openId: editor.productId(),
          editor: () => editor.render(list.categories()),
          edit: (product) => void edit(product),
        })}
        ${pageBar(list)} ${dialog.render()}
      </section>
    `,
  };
}

function opener(what: Open, open: Open, text: string, show: (what: Open) => void): TemplateResult {
  return html`
    <button type="button" class="button small" data-open=${what} aria-expanded=${what === open ? "true" : "false"} @click=${() => show(what)}>${text}</button>
  `;
}
