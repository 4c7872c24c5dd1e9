import type { ImportCells, ImportProblem } from "./import-row.ts";

/** A file of goods as a whole cannot be read. The message is a sentence for the person. */
export class GoodsFileError extends Error {
  override readonly name = "GoodsFileError";
}

/** A line of a file: its cells, or why they cannot be told. */
export type GoodsLine =
  | { readonly cells: ImportCells }
  | { readonly problems: readonly ImportProblem[] };

type Cell = Exclude<keyof ImportCells, "line" | "$typeName" | "$unknown">;

/** The cell that a column holds. */
const cellOf = {
  product_id: "productId",
  name: "name",
  description: "description",
  category: "category",
  emoji: "emoji",
  picture_url: "pictureUrl",
  price: "price",
  currency: "currency",
  stock: "stock",
  archived: "archived",
} as const satisfies Record<string, Cell>;

/** The columns of a file of goods, in the order in which they are exported. */
export const goodsColumns = Object.keys(cellOf) as readonly (keyof typeof cellOf)[];

/** The cell by the name of its column, also in camel case; undefined: there is no such column. */
export function cellOfColumn(column: string): Cell | undefined {
  const name = column
    .trim()
    .replace(/[A-Z]/g, (letter, index) => (index === 0 ? letter : `_${letter}`))
    .toLowerCase();
  return Object.hasOwn(cellOf, name) ? cellOf[name as keyof typeof cellOf] : undefined;
}

/** "is no column of a file of goods; these are: …" */
export const unknownColumn = `is not a column of a file of goods; these are: ${goodsColumns.join(", ")}`;
