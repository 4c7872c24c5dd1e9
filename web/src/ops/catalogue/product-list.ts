import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { ProductQuery } from "./product-query.ts";
import { anyProduct, requestOf } from "./product-query.ts";

/** Products that were searched for, one page at a time: however large the catalogue is, the page holds 50 of it. */
export interface ProductList {
  query(): ProductQuery;
  products(): readonly CatalogueProduct[];
  categories(): readonly string[];
  /** "loading", an error message, or "". */
  note(): string;
  hasNext(): boolean;
  hasPrevious(): boolean;
  /** Begins a search; the one before is dropped. */
  ask(query: ProductQuery): void;
  next(): void;
  previous(): void;
  /** Reads the page again. */
  reload(): void;
  /** Shows a product as it is now, where it is on the page. */
  replace(product: CatalogueProduct): void;
}

interface State {
  readonly query: ProductQuery;
  products: readonly CatalogueProduct[];
  nextToken: string;
  /** Of the pages up to this one. */
  tokens: readonly string[];
  note: string;
}

export function createProductList(operations: Console): ProductList {
  const { shop, catalogue, inventory, access, signal } = operations;
  const fresh = { products: [], nextToken: "", tokens: [""], note: "loading" };
  let state: State = { ...fresh, query: anyProduct };
  let categories: readonly string[] = [];

  const read = async (mine: State, tokens: readonly string[]): Promise<void> => {
    mine.note = "loading";
    shop.refresh();
    try {
      const request = requestOf(mine.query, tokens.at(-1) ?? "");
      const answer = await catalogue.listCatalogueProducts(request, { signal, timeoutMs: 6_000 });
      const { products, nextPageToken } = answer;
      Object.assign(mine, { products, tokens, nextToken: nextPageToken, note: "" });
    } catch (error) {
      signal.throwIfAborted();
      mine.note = access.isDenied(error) ? "" : complaintOf(error);
    }
    shop.refresh();
  };
  // A rejection means that the console was left.
  const turn = (tokens: readonly string[]): void => void read(state, tokens).catch(() => {});
  const readCategories = async (): Promise<void> => {
    const answer = await inventory.listCategories({}, { signal, timeoutMs: 6_000 });
    categories = answer.categories;
    shop.refresh();
  };

  return {
    query: () => state.query,
    products: () => state.products,
    categories: () => categories,
    note: () => state.note,
    hasNext: () => state.nextToken !== "",
    hasPrevious: () => state.tokens.length > 1,
    ask(query) {
      // What was found before stays until there is something else: nothing on the page jumps.
      state = { ...fresh, products: state.products, query };
      turn([""]);
      // Without the categories the field offers the chosen one only; the list shows the error.
      readCategories().catch(() => {});
    },
    next: () => turn([...state.tokens, state.nextToken]),
    previous: () => turn(state.tokens.slice(0, -1)),
    reload: () => turn(state.tokens),
    replace(product) {
      const id = product.product?.productId;
      state.products = state.products.map((one) => (one.product?.productId === id ? product : one));
      shop.refresh();
    },
  };
}
