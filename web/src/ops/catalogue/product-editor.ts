import type { TemplateResult } from "lit-html";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import type { ConfirmDialog } from "../confirm-dialog.ts";
import type { Console } from "../console.ts";
import { isDirty } from "./editor-state.ts";
import { createPictureField } from "./picture-field.ts";
import { createProductEditing } from "./product-editing.ts";
import { editorTemplate } from "./product-editor-template.ts";
import { createStockEditor } from "./stock-editor.ts";

/** One product, edited in place: its fields, its stock, whether it is listed. */
export interface ProductEditor {
  /** The product that is open, "" for none. */
  productId(): string;
  /** Opens a product, or closes it. */
  toggle(product: CatalogueProduct): void;
  /** Asks where edits would be lost. */
  mayClose(): Promise<boolean>;
  render(categories: readonly string[]): TemplateResult;
}

export function createProductEditor(
  operations: Console,
  dialog: ConfirmDialog,
  onChange: (product: CatalogueProduct) => void,
): ProductEditor {
  const { shop } = operations;
  const editing = createProductEditing(operations, dialog, onChange);
  const picture = createPictureField(operations);
  const stock = createStockEditor(operations, onChange);
  // A rejection means that the console was left.
  const quietly = (work: Promise<void>): void => void work.catch(() => {});
  return {
    productId: editing.productId,
    toggle(product) {
      const id = product.product?.productId ?? "";
      const isOpen = id === editing.productId();
      editing.open(isOpen ? undefined : product);
      stock.open(isOpen ? "" : id);
      shop.focus(isOpen ? `[data-edit="${CSS.escape(id)}"]` : "#edit-name");
    },
    async mayClose() {
      const state = editing.get();
      if (!(state && isDirty(state))) return true;
      const text = "What you have typed is not saved.";
      return dialog.ask({ title: "Discard your changes?", text, yes: "Discard" });
    },
    render: (categories) =>
      editorTemplate(editing.get(), {
        ...{ categories, picture, stock },
        type(field, text) {
          const state = editing.get();
          if (state) editing.change({ draft: { ...state.draft, [field]: text }, note: "" });
        },
        save: () => quietly(editing.save()),
        archive: (isArchived) => quietly(editing.archive(isArchived)),
        resolve: (isMine) => quietly(editing.resolve(isMine)),
      }),
  };
}
