import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { Shop } from "../shop.ts";
import { queryIn, searchPath } from "./search.ts";

/** The search of the shop. Its text is part of the URL, so that it survives a reload and can be shared. */
export interface SearchBox {
  query(): string;
  set(query: string): void;
  render(): TemplateResult;
  close(): void;
}

/** How long nothing is typed until the number of hits is said, in milliseconds. */
const SETTLED_MS = 600;

/** @param countHits How many products a query finds now. */
export function createSearchBox(shop: Shop, countHits: (query: string) => number): SearchBox {
  let query = queryIn(location.search);
  let telling: ReturnType<typeof setTimeout> | undefined;

  const set = (next: string): void => {
    query = next;
    // In place: a history entry for each letter would make "back" useless.
    history.replaceState(null, "", searchPath(query));
    shop.refresh();
    clearTimeout(telling);
    telling = setTimeout(() => shop.announce(hitsInWords(countHits(query))), SETTLED_MS);
  };

  return {
    query: () => query,
    set,
    render: () => html`
      <form
        class="search"
        role="search"
        @submit=${(event: SubmitEvent) => event.preventDefault()}
      >
        <label class="visually-hidden" for="search">Search the shop</label>
        <input
          id="search"
          type="search"
          placeholder="Search"
          autocomplete="off"
          enterkeyhint="search"
          maxlength="100"
          .value=${live(query)}
          @input=${(event: Event) => set((event.target as HTMLInputElement).value)}
        />
      </form>
    `,
    close: () => clearTimeout(telling),
  };
}

/** "3 products" */
export function hitsInWords(hits: number): string {
  if (hits === 0) return "Nothing found";
  return hits === 1 ? "1 product" : `${hits} products`;
}
