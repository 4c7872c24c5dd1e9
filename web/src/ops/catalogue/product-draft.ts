import type { MessageInitShape } from "@bufbuild/protobuf";
import type { UpdateProductRequestSchema } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import { amountText, parseAmount } from "./amount.ts";

/** What an operator types into the fields of a product. */
export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly price: string;
  readonly currency: string;
  readonly pictureUrl: string;
}

export type DraftField = keyof Draft;

export const fieldLabels: Readonly<Record<DraftField, string>> = {
  name: "Name",
  description: "Description",
  category: "Category",
  price: "Price",
  currency: "Currency",
  pictureUrl: "Picture",
};

const fields = Object.keys(fieldLabels) as readonly DraftField[];

/** The form of a new product. */
export const emptyDraft: Draft = {
  name: "",
  description: "",
  category: "",
  price: "",
  currency: "USD",
  pictureUrl: "",
};

/** The fields as a product has them. */
export function draftOf({ name, description, category, pictureUrl, price }: Product): Draft {
  const currency = price?.currencyCode ?? "";
  return {
    ...{ name, description, category, pictureUrl, currency },
    price: amountText(price?.minorUnits ?? 0n, currency),
  };
}

/** The fields in which two drafts differ. */
export function differences(one: Draft, other: Draft): DraftField[] {
  return fields.filter((field) => one[field] !== other[field]);
}

type Edit = Omit<
  MessageInitShape<typeof UpdateProductRequestSchema>,
  "$typeName" | "$unknown" | "productId" | "revision"
>;

/** What changes from `base` to `draft`, as the contract has it: what is not named stays. */
export function editOf(base: Draft, draft: Draft): Edit {
  const changed = differences(base, draft);
  const texts = changed.filter((field) => field !== "price" && field !== "currency");
  const edit: Edit = Object.fromEntries(texts.map((field) => [field, draft[field]]));
  return texts.length === changed.length ? edit : { ...edit, price: priceOf(draft) };
}

/** The price of a draft; its text must be an amount, see {@link problemsOf}. */
export function priceOf({ price, currency }: Draft): { currencyCode: string; minorUnits: bigint } {
  return { currencyCode: currency, minorUnits: parseAmount(price, currency) ?? 0n };
}

export type FieldProblems = Partial<Record<string, string>>;

/** What the page sees for itself; the service checks the rest. */
export function problemsOf(draft: Draft): FieldProblems {
  return {
    ...(draft.name.trim() === "" && { name: "Enter a name." }),
    ...(draft.category.trim() === "" && { category: "Enter a category." }),
    ...(parseAmount(draft.price, draft.currency) === undefined && {
      price: "Enter an amount such as 14.50.",
    }),
  };
}

/** My edit on top of theirs: what I did not touch is theirs. */
export function keepMine(base: Draft, mine: Draft, theirs: Draft): Draft {
  const changed = differences(base, mine).map((field) => [field, mine[field]]);
  return { ...theirs, ...Object.fromEntries(changed) };
}

/** A field that another operator changed since it was read. */
export interface Conflict {
  readonly field: DraftField;
  readonly before: string;
  readonly theirs: string;
  /** Undefined where I left it alone. */
  readonly mine: string | undefined;
}

/** What another operator changed, and what I want there. */
export function conflictsOf(base: Draft, mine: Draft, theirs: Draft): Conflict[] {
  return differences(base, theirs).map((field) => ({
    ...{ field, before: base[field], theirs: theirs[field] },
    mine: mine[field] === base[field] ? undefined : mine[field],
  }));
}

/** "price.currencyCode: is not …": the service names the field first. Answers the field of the form and the rest. */
export function fieldOfComplaint(complaint: string): readonly [field: string, text: string] {
  const [, path = "", text = complaint] = /^([a-zA-Z]+(?:\.\w+)*): (.*)$/s.exec(complaint) ?? [];
  const field = path === "price.currencyCode" ? "currency" : (path.split(".")[0] ?? "");
  return field === "productId" || field === "initialStock" || Object.hasOwn(fieldLabels, field)
    ? [field, text]
    : ["", complaint];
}
