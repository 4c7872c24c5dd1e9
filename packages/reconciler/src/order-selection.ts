/** Some orders or products, by their ids: those in a range and those that are named. */
export interface OrderSelection {
  readonly ranges: readonly IdRange[];
  readonly ids: readonly string[];
}

/** Ids from `from` on, and before `to` where that is set. An order's id begins with the time at which it was placed; a product's does not. */
export interface IdRange {
  readonly from: string;
  readonly to?: string | undefined;
}

/** A condition that holds for the selected ones, on a column with their ids. Each part of it can use an index. */
export function selects(column: string, orders: OrderSelection | undefined): string {
  if (orders === undefined) return "true";
  const ranges = orders.ranges.map(
    ({ from, to }) =>
      `${column} >= ${literal(from)}${to === undefined ? "" : ` and ${column} < ${literal(to)}`}`,
  );
  const ids = orders.ids.length > 0 ? [`${column} in (${orders.ids.map(literal).join(", ")})`] : [];
  return `(${[...ranges, ...ids].join(" or ") || "false"})`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
