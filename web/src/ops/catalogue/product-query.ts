import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ListCatalogueProductsRequestSchema } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import {
  ArchiveFilter,
  CatalogueOrder,
} from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";

/** Which products the operator wants to see; "" for any. */
export interface ProductQuery {
  readonly q: string;
  readonly category: string;
  readonly state: string;
  readonly order: string;
}

export const anyProduct: ProductQuery = { q: "", category: "", state: "", order: "" };

type Choice<T> = readonly [value: string, text: string, meaning: T];

/** States that can be chosen. */
export const stateChoices: readonly Choice<ArchiveFilter>[] = [
  ["", "active", ArchiveFilter.UNSPECIFIED],
  ["archived", "archived", ArchiveFilter.ARCHIVED],
  ["all", "active and archived", ArchiveFilter.ALL],
];

/** Orders that can be chosen. */
export const orderChoices: readonly Choice<CatalogueOrder>[] = [
  ["", "category and name", CatalogueOrder.UNSPECIFIED],
  ["low-stock", "low stock first", CatalogueOrder.LOW_STOCK],
];

/** The query in an address: "?q=mug&order=low-stock". */
export function productQueryIn(search: string): ProductQuery {
  const parameters = new URLSearchParams(search);
  const of = (name: keyof ProductQuery): string => parameters.get(name) ?? "";
  return {
    q: of("q"),
    category: of("category"),
    state: known(stateChoices, of("state")),
    order: known(orderChoices, of("order")),
  };
}

/** The address of a query, below /ops/catalogue. */
export function searchOf(query: ProductQuery): string {
  const set = Object.entries(query).filter(([, value]) => value !== "");
  return set.length === 0 ? "" : `?${new URLSearchParams(set)}`;
}

/** The request for a page of a query. */
export function requestOf(
  { q, category, state, order }: ProductQuery,
  pageToken: string,
): MessageInitShape<typeof ListCatalogueProductsRequestSchema> {
  return {
    query: q,
    category,
    archiveFilter: meaningOf(stateChoices, state),
    order: meaningOf(orderChoices, order),
    pageToken,
  };
}

function known<T>(choices: readonly Choice<T>[], value: string): string {
  return choices.some(([one]) => one === value) ? value : "";
}

function meaningOf<T>(choices: readonly Choice<T>[], value: string): T {
  return (choices.find(([one]) => one === value) ?? (choices[0] as Choice<T>))[2];
}
