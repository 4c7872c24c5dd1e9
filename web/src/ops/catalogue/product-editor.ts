import { Code, ConnectError } from "@connectrpc/connect";
import type { TemplateResult } from "lit-html";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { ProductChangedSchema } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import type { ConfirmDialog } from "../confirm-dialog.ts";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import { createPictureField } from "./picture-field.ts";
import type { Draft, FieldProblems } from "./product-draft.ts";
import {
  differences,
  draftOf,
  editOf,
  fieldOfComplaint,
  keepMine,
  problemsOf,
} from "./product-draft.ts";
import { editorTemplate } from "./product-editor-template.ts";
import { createStockEditor } from "./stock-editor.ts";

/** One product, edited where it stands: its fields, its stock, whether it is listed. */
export interface ProductEditor {
  /** The product that is open, "" for none. */
  productId(): string;
  /** Opens a product, or closes it. */
  toggle(product: CatalogueProduct): void;
  /** Asks where edits would be lost. */
  mayClose(): Promise<boolean>;
  render(categories: readonly string[]): TemplateResult;
}

/** What the editor shows. */
export interface EditorState {
  /** As it was read: an edit names its revision. */
  readonly base: CatalogueProduct;
  readonly draft: Draft;
  /** What another operator has made of it meanwhile. */
  readonly theirs: CatalogueProduct | undefined;
  readonly problems: FieldProblems;
  readonly note: string;
  readonly tone: "" | "good" | "bad";
  readonly isBusy: boolean;
}

export function createProductEditor(
  operations: Console,
  dialog: ConfirmDialog,
  onChange: (product: CatalogueProduct) => void,
): ProductEditor {
  const { shop, catalogue, access, signal } = operations;
  const picture = createPictureField(operations);
  const stock = createStockEditor(operations, (product) => {
    if (state) change({ base: product });
    onChange(product);
  });
  let state: EditorState | undefined;
  const change = (part: Partial<EditorState>): void => {
    if (state) state = { ...state, ...part };
    shop.refresh();
  };
  const adopt = (product: CatalogueProduct, draft: Draft, note: string): void => {
    change({ base: product, draft, theirs: undefined, problems: {}, note, tone: "good" });
    onChange(product);
  };

  /** Makes a call that answers the product as it is now; of a stale one, shows what has changed. */
  const call = async (
    work: () => Promise<{ readonly product?: CatalogueProduct | undefined }>,
    done: string,
  ): Promise<void> => {
    const mine = state?.base.product?.productId;
    if (state === undefined || state.isBusy) return;
    change({ isBusy: true, problems: {}, note: "" });
    try {
      const { product } = await work();
      if (mine === productId() && product?.product) adopt(product, draftOf(product.product), done);
    } catch (error) {
      signal.throwIfAborted();
      if (mine === productId()) change(failureOf(error, access.isDenied(error)));
    }
    change({ isBusy: false });
  };
  const productId = (): string => state?.base.product?.productId ?? "";

  const save = (): Promise<void> => {
    if (!state?.base.product) return Promise.resolve();
    const { base, draft } = state;
    const before = draftOf(state.base.product);
    const problems = problemsOf(draft);
    if (Object.keys(problems).length > 0) {
      change({ problems, note: "", tone: "bad" });
      shop.focus(".product-editor [aria-invalid]");
      return Promise.resolve();
    }
    const request = { productId: productId(), revision: base.revision, ...editOf(before, draft) };
    return call(() => catalogue.updateProduct(request, { signal }), "Saved.");
  };

  const archive = async (isArchived: boolean): Promise<void> => {
    const name = state?.base.product?.name ?? "";
    const question = {
      title: `Archive ${name}?`,
      text: "It is no longer listed and cannot be ordered. Orders that were placed before are completed. It can be put back at any time. The log records who did it.",
      yes: "Archive",
    };
    if (isArchived && !(await dialog.ask(question))) return;
    const request = { productId: productId(), revision: state?.base.revision ?? 0n };
    const work = isArchived ? catalogue.archiveProduct : catalogue.restoreProduct;
    await call(() => work(request, { signal }), isArchived ? "Archived." : "Listed again.");
  };

  const resolve = async (isMine: boolean): Promise<void> => {
    const theirs = state?.theirs;
    if (!(state?.base.product && theirs?.product)) return;
    const [before, after] = [draftOf(state.base.product), draftOf(theirs.product)];
    const draft = isMine ? keepMine(before, state.draft, after) : after;
    adopt(theirs, draft, isMine ? "" : "Their values are taken.");
    shop.focus("#edit-name");
    if (isMine) await save();
  };

  // A rejection means that the console was left.
  const quietly = (work: () => Promise<void>) => (): void => void work().catch(() => {});
  return {
    productId,
    toggle(product) {
      const id = product.product?.productId ?? "";
      if (id === productId() || !product.product) {
        state = undefined;
        stock.close();
        shop.focus(`[data-edit="${CSS.escape(id)}"]`);
        return;
      }
      const quiet = { theirs: undefined, problems: {}, note: "", tone: "", isBusy: false } as const;
      state = { base: product, draft: draftOf(product.product), ...quiet };
      stock.open(id);
      shop.focus("#edit-name");
    },
    async mayClose() {
      if (!state?.base.product) return true;
      if (differences(draftOf(state.base.product), state.draft).length === 0) return true;
      const text = "What you have typed is not saved.";
      return dialog.ask({ title: "Discard your changes?", text, yes: "Discard" });
    },
    render: (categories) =>
      editorTemplate(state, {
        categories,
        picture,
        stock,
        type: (field, text) => {
          if (state) change({ draft: { ...state.draft, [field]: text }, note: "" });
        },
        save: quietly(save),
        archive: (isArchived) => quietly(() => archive(isArchived))(),
        resolve: (isMine) => quietly(() => resolve(isMine))(),
      }),
  };
}

function failureOf(error: unknown, isDenied: boolean): Partial<EditorState> {
  const failure = ConnectError.from(error);
  const [changed] = failure.findDetails(ProductChangedSchema);
  if (failure.code === Code.Aborted && changed?.current) {
    return { theirs: changed.current, note: "", tone: "bad" };
  }
  const [field, text] = fieldOfComplaint(isDenied ? "" : complaintOf(error));
  return field === "" ? { note: text, tone: "bad" } : { problems: { [field]: text }, tone: "bad" };
}
