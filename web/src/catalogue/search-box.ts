import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { Shop } from "../shop.ts";
import type { CatalogueFilter } from "./catalogue-state.ts";
import { filterIn, listingPath } from "./search.ts";

/** The search of the shop. What it lists is part of the URL, so that it survives a reload and can be shared. */
export interface SearchBox {
  filter(): CatalogueFilter;
  set(filter: Partial<CatalogueFilter>): void;
  render(categories: readonly string[]): TemplateResult;
  close(): void;
}

/** How long nothing is typed until the shop is asked, in milliseconds. */
const settledMs = 200;

export function createSearchBox(shop: Shop): SearchBox {
  let filter = filterIn(location.search);
  let settling: ReturnType<typeof setTimeout> | undefined;
  shop.catalogue.list(filter);

  const set = (next: Partial<CatalogueFilter>, delayMs = 0): void => {
    filter = { ...filter, ...next };
    // In place: a history entry for each letter would make "back" useless.
    history.replaceState(history.state, "", listingPath(filter));
    shop.refresh();
    clearTimeout(settling);
    settling = setTimeout(() => shop.catalogue.list(filter), delayMs);
  };
  return {
    filter: () => filter,
    set,
    render: (categories) => html`
      <form
        class="search"
        role="search"
        @submit=${(event: SubmitEvent) => event.preventDefault()}
      >
        ${categorySelect(categories, filter.category, (category) => set({ category }))}
        <label class="visually-hidden" for="search">Search the shop</label>
        <input
          id="search"
          type="search"
          placeholder="Search"
          autocomplete="off"
          enterkeyhint="search"
          maxlength="100"
          .value=${live(filter.query)}
          @input=${(event: Event) => set({ query: (event.target as HTMLInputElement).value }, settledMs)}
        />
      </form>
    `,
    close: () => clearTimeout(settling),
  };
}

/** Takes its room before the categories are known, so that nothing jumps. */
function categorySelect(
  categories: readonly string[],
  chosen: string,
  onChoose: (category: string) => void,
): TemplateResult {
  const names = chosen && !categories.includes(chosen) ? [chosen, ...categories] : categories;
  return html`
    <label class="visually-hidden" for="category">Category</label>
    <select id="category" @change=${(event: Event) => onChoose((event.target as HTMLSelectElement).value)}>
      <option value="" ?selected=${chosen === ""}>All products</option>
      ${names.map((name) => html`<option value=${name} ?selected=${name === chosen}>${name}</option>`)}
    </select>
  `;
}
