import { Code, ConnectError } from "@connectrpc/connect";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { ProductChangedSchema } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { complaintOf } from "../console-access.ts";
import type { Draft, FieldProblems } from "./product-draft.ts";
import { differences, draftOf, fieldOfComplaint, keepMine } from "./product-draft.ts";

/** What the editor shows. */
export interface EditorState {
  /** As it was read: an edit names its revision. */
  readonly base: CatalogueProduct;
  readonly draft: Draft;
  /** The product as another operator has saved it meanwhile. */
  readonly theirs: CatalogueProduct | undefined;
  readonly problems: FieldProblems;
  readonly note: string;
  readonly tone: "" | "good" | "bad";
  readonly isBusy: boolean;
}

const quiet = { theirs: undefined, problems: {}, note: "", tone: "", isBusy: false } as const;

/** A product that was just opened. */
export function openedAt(base: CatalogueProduct): EditorState | undefined {
  return base.product && { base, draft: draftOf(base.product), ...quiet };
}

/** Whether something is typed that is not saved. */
export function isDirty({ base, draft }: EditorState): boolean {
  return base.product !== undefined && differences(draftOf(base.product), draft).length > 0;
}

/** The end of a conflict: my edit on top of theirs, or theirs. */
export function resolvedDraft(
  { base, draft, theirs }: EditorState,
  isMine: boolean,
): Draft | undefined {
  if (!(base.product && theirs?.product)) return undefined;
  const [before, after] = [draftOf(base.product), draftOf(theirs.product)];
  return isMine ? keepMine(before, draft, after) : after;
}

/** What to show of a call that failed: of a stale edit, what the other operator has made of the product. */
export function failureOf(error: unknown, isDenied: boolean): Partial<EditorState> {
  const failure = ConnectError.from(error);
  const [changed] = failure.findDetails(ProductChangedSchema);
  if (failure.code === Code.Aborted && changed?.current) {
    return { theirs: changed.current, note: "", tone: "bad" };
  }
  const [field, text] = fieldOfComplaint(isDenied ? "" : complaintOf(error));
  return field === "" ? { note: text, tone: "bad" } : { problems: { [field]: text }, tone: "bad" };
}
