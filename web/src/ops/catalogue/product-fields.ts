import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { DraftField, FieldProblems } from "./product-draft.ts";
import { fieldLabels } from "./product-draft.ts";

interface ProductFieldsOptions {
  /** Begins the ids of the fields: "new" or "edit". */
  readonly form: string;
  readonly draft: Readonly<Record<DraftField, string>>;
  readonly problems: FieldProblems;
  readonly categories: readonly string[];
  readonly type: (field: DraftField, text: string) => void;
}

const maxLengths: Readonly<Record<Exclude<DraftField, "pictureUrl">, number>> = {
  name: 200,
  description: 2_000,
  category: 100,
  price: 15,
  currency: 3,
};

/** The fields of a product that are text; the picture is a field of its own. */
export function productFields(options: ProductFieldsOptions): TemplateResult {
  const { form, categories } = options;
  const field = (name: keyof typeof maxLengths): TemplateResult => textField(options, name);
  return html`
    ${field("name")} ${field("category")}
    <datalist id="${form}-categories">${categories.map((one) => html`<option value=${one}></option>`)}</datalist>
    ${field("price")} ${field("currency")} ${descriptionField(options)}
  `;
}

function textField(
  { form, draft, problems, type }: ProductFieldsOptions,
  name: keyof typeof maxLengths,
): TemplateResult {
  const id = `${form}-${name}`;
  const onInput = ({ target }: Event): void => {
    const { value } = target as HTMLInputElement;
    type(name, name === "currency" ? value.toUpperCase() : value);
  };
  return html`
    <div class="field">
      <label for=${id}>${fieldLabels[name]}</label>
      <input id=${id} maxlength=${maxLengths[name]} autocomplete="off" .value=${draft[name]} @input=${onInput}
        inputmode=${name === "price" ? "decimal" : nothing} list=${name === "category" ? `${form}-categories` : nothing}
        aria-invalid=${problems[name] ? "true" : nothing} aria-describedby=${problems[name] ? `${id}-problem` : nothing} />
      ${fieldProblem(id, problems[name])}
    </div>
  `;
}

function descriptionField({ form, draft, problems, type }: ProductFieldsOptions): TemplateResult {
  const id = `${form}-description`;
  return html`
    <div class="field description-field">
      <label for=${id}>${fieldLabels.description}</label>
      <textarea id=${id} rows="3" maxlength=${maxLengths.description} .value=${draft.description}
        @input=${({ target }: Event) => type("description", (target as HTMLTextAreaElement).value)}
        aria-invalid=${problems.description ? "true" : nothing} aria-describedby=${problems.description ? `${id}-problem` : nothing}></textarea>
      ${fieldProblem(id, problems.description)}
    </div>
  `;
}

/** What is wrong with a field, below it. */
export function fieldProblem(
  id: string,
  problem: string | undefined,
): TemplateResult | typeof nothing {
  return problem ? html`<p class="field-error" id="${id}-problem">${problem}</p>` : nothing;
}
