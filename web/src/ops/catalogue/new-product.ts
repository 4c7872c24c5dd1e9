import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { PictureField } from "./picture-field.ts";
import { createPictureField } from "./picture-field.ts";
import type { Draft, DraftField, FieldProblems } from "./product-draft.ts";
import { emptyDraft, fieldOfComplaint, priceOf, problemsOf } from "./product-draft.ts";
import { fieldProblem, productFields } from "./product-fields.ts";

/** The form of a product that does not exist yet. */
export interface NewProduct {
  render(categories: readonly string[]): TemplateResult;
}

interface State {
  readonly productId: string;
  readonly stock: string;
  readonly draft: Draft;
  readonly problems: FieldProblems;
  readonly complaint: string;
  readonly isSending: boolean;
}

const empty: State = {
  productId: "",
  stock: "0",
  draft: emptyDraft,
  problems: {},
  complaint: "",
  isSending: false,
};

export function createNewProduct(
  operations: Console,
  onCreated: (product: CatalogueProduct) => void,
): NewProduct {
  const { shop, catalogue, access, signal } = operations;
  const picture = createPictureField(operations);
  let state = empty;
  const change = (part: Partial<State>): void => {
    state = { ...state, ...part };
    shop.refresh();
  };
  const complain = (problems: FieldProblems, complaint = ""): void => {
    change({ problems, complaint, isSending: false });
    shop.focus(".new-product [aria-invalid]");
  };

  const send = async (): Promise<void> => {
    if (state.isSending) return;
    const { productId, stock, draft } = state;
    const problems = { ...idProblem(productId), ...stockProblem(stock), ...problemsOf(draft) };
    if (Object.keys(problems).length > 0) return complain(problems);
    change({ isSending: true, problems: {}, complaint: "" });
    const { price: _price, currency: _currency, ...texts } = draft;
    const request = { productId, ...texts, price: priceOf(draft), initialStock: Number(stock) };
    try {
      const { product } = await catalogue.createProduct(request, { signal });
      state = empty;
      shop.announce("The product is created");
      if (product) onCreated(product);
    } catch (error) {
      signal.throwIfAborted();
      const [field, text] = fieldOfComplaint(access.isDenied(error) ? "" : complaintOf(error));
      complain(field === "" ? {} : { [field]: text }, field === "" ? text : "");
    }
  };

  return {
    render: (categories) =>
      formTemplate(state, {
        categories,
        picture,
        change,
        type: (field, text) => change({ draft: { ...state.draft, [field]: text } }),
        // A rejection means that the console was left.
        send: () => void send().catch(() => {}),
      }),
  };
}

interface FormActions {
  readonly categories: readonly string[];
  readonly picture: PictureField;
  readonly change: (part: Partial<State>) => void;
  readonly type: (field: DraftField, text: string) => void;
  readonly send: () => void;
}

function formTemplate(
  { productId, stock, draft, problems, complaint, isSending }: State,
  { categories, picture, change, type, send }: FormActions,
): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    send();
  };
  return html`
    <form class="new-product inset" aria-labelledby="new-heading" @submit=${submit} novalidate>
      <h3 id="new-heading">New product</h3>
      <div class="product-fields">
        ${plainField("productId", "Product id (SKU)", productId, problems.productId, (productId) => change({ productId }))}
        ${plainField("stock", "Units in stock", stock, problems.stock ?? problems.initialStock, (stock) => change({ stock }))}
        ${productFields({ form: "new", draft, problems, categories, type })}
        ${picture.render({
          form: "new",
          productId,
          pictureUrl: draft.pictureUrl,
          problem: problems.pictureUrl,
          change: (url) => type("pictureUrl", url),
        })}
      </div>
      <p class="row">
        <button class="button primary small" aria-disabled=${isSending ? "true" : nothing}>Create</button>
        <span class="bad" role="alert">${complaint}</span>
      </p>
    </form>
  `;
}

function plainField(
  name: string,
  label: string,
  value: string,
  problem: string | undefined,
  type: (text: string) => void,
): TemplateResult {
  const id = `new-${name}`;
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <input id=${id} maxlength="64" autocomplete="off" spellcheck="false" inputmode=${name === "stock" ? "numeric" : nothing} .value=${value}
        @input=${({ target }: Event) => type((target as HTMLInputElement).value.trim())}
        aria-invalid=${problem ? "true" : nothing} aria-describedby=${problem ? `${id}-problem` : nothing} />
      ${fieldProblem(id, problem)}
    </div>
  `;
}

function idProblem(productId: string): FieldProblems {
  return productId === "" ? { productId: "Enter an id." } : {};
}

function stockProblem(stock: string): FieldProblems {
  return /^\d{1,9}$/.test(stock) ? {} : { stock: "Enter a whole number from 0." };
}
