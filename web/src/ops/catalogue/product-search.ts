import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { ProductList } from "./product-list.ts";
import type { ProductQuery } from "./product-query.ts";
import { orderChoices, stateChoices } from "./product-query.ts";

/** Words, category, state and order. A choice searches at once, words with Enter or the button. */
export function searchForm(
  list: ProductList,
  search: (query: ProductQuery) => void,
): TemplateResult {
  const query = list.query();
  const read = (form: HTMLFormElement): void => {
    const fields = new FormData(form);
    const of = (name: keyof ProductQuery): string => String(fields.get(name) ?? "").trim();
    search({ q: of("q"), category: of("category"), state: of("state"), order: of("order") });
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    read(event.target as HTMLFormElement);
  };
  const change = (event: Event): void => {
    const field = event.target;
    if (field instanceof HTMLSelectElement && field.form) read(field.form);
  };
  // A category that was chosen by the address may not be among those that have products now.
  const categories = new Set([...list.categories(), query.category].filter((name) => name !== ""));
  const choices: readonly (readonly [string, string])[] = [
    ["", "all"],
    ...[...categories].map((name) => [name, name] as const),
  ];
  return html`
    <form class="order-search product-search" role="search" aria-label="Products" @submit=${submit} @change=${change}>
      <div>
        <label for="product-q">Name, id or words</label>
        <input id="product-q" name="q" type="search" maxlength="200" autocomplete="off" spellcheck="false" .value=${query.q} />
      </div>
      ${select("category", "Category", query.category, choices)} ${select("state", "State", query.state, stateChoices)}
      ${select("order", "Order", query.order, orderChoices)}
      <button class="button primary">Search</button>
    </form>
  `;
}

function select(
  name: string,
  label: string,
  value: string,
  choices: readonly (readonly [string, string, ...unknown[]])[],
): TemplateResult {
  const id = `product-${name}`;
  return html`
    <div>
      <label for=${id}>${label}</label>
      <select id=${id} name=${name}>
        ${choices.map(([one, text]) => html`<option value=${one} ?selected=${one === value} .selected=${one === value}>${text || nothing}</option>`)}
      </select>
    </div>
  `;
}
