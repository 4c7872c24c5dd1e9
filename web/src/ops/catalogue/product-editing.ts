import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import type { ConfirmDialog } from "../confirm-dialog.ts";
import type { Console } from "../console.ts";
import type { EditorState } from "./editor-state.ts";
import { failureOf, openedAt, resolvedDraft } from "./editor-state.ts";
import type { Draft } from "./product-draft.ts";
import { draftOf, editOf, problemsOf } from "./product-draft.ts";

/** One product under edit: what was read, what is typed, and the calls that make the one the other. */
export interface ProductEditing {
  get(): EditorState | undefined;
  /** The product that is open, "" for none. */
  productId(): string;
  /** Opens a product; undefined closes it. */
  open(product: CatalogueProduct | undefined): void;
  change(part: Partial<EditorState>): void;
  /** Sends what differs, with the revision that was read. */
  save(): Promise<void>;
  /** Takes the product out of the catalogue after a question, or puts it back. */
  archive(isArchived: boolean): Promise<void>;
  /** Ends a conflict: keeps mine and saves it, or takes theirs. */
  resolve(isMine: boolean): Promise<void>;
}

type Answer = Promise<{ readonly product?: CatalogueProduct | undefined }>;

export function createProductEditing(
  { shop, catalogue, access, signal }: Console,
  dialog: ConfirmDialog,
  onChange: (product: CatalogueProduct) => void,
): ProductEditing {
  let state: EditorState | undefined;
  const productId = () => state?.base.product?.productId ?? "";
  const change = (part: Partial<EditorState>): void => {
    if (state) state = { ...state, ...part };
    shop.refresh();
  };
  const adopt = (base: CatalogueProduct, draft: Draft, note: string): void => {
    change({ base, draft, theirs: undefined, problems: {}, note, tone: "good" });
    onChange(base);
  };
  const call = async (work: () => Answer, done: string): Promise<void> => {
    const mine = productId();
    if (state === undefined || state.isBusy) return;
    change({ isBusy: true, problems: {}, note: "" });
    try {
      const { product } = await work();
      if (mine === productId() && product?.product) adopt(product, draftOf(product.product), done);
    } catch (error) {
      signal.throwIfAborted();
      if (mine === productId()) change(failureOf(error, access.isDenied(error)));
    }
    if (mine === productId()) change({ isBusy: false });
  };
  const save = async (): Promise<void> => {
    if (!state?.base.product) return;
    const problems = problemsOf(state.draft);
    if (Object.keys(problems).length > 0) {
      change({ problems, note: "" });
      return shop.focus(".product-editor [aria-invalid]");
    }
    const edit = editOf(draftOf(state.base.product), state.draft);
    const request = { ...edit, productId: productId(), revision: state.base.revision };
    await call(() => catalogue.updateProduct(request, { signal }), "Saved.");
  };

  return {
    ...{ get: () => state, productId, change, save },
    open(product) {
      state = product && openedAt(product);
    },
    async archive(isArchived) {
      if (isArchived && !(await dialog.ask(archiveQuestion(productId())))) return;
      const request = { productId: productId(), revision: state?.base.revision ?? 0n };
      const work = isArchived ? catalogue.archiveProduct : catalogue.restoreProduct;
      await call(() => work(request, { signal }), isArchived ? "Archived." : "Listed again.");
    },
    async resolve(isMine) {
      const draft = state && resolvedDraft(state, isMine);
      const note = isMine ? "" : "Their values are taken.";
      if (draft && state?.theirs) adopt(state.theirs, draft, note);
      shop.focus("#edit-name");
      if (isMine) await save();
    },
  };
}

const archiveQuestion = (productId: string) => ({
  title: `Archive ${productId}?`,
  text: "It is no longer listed and cannot be ordered. Orders that were placed before are completed. It can be put back at any time. The log records who did it.",
  yes: "Archive",
});
