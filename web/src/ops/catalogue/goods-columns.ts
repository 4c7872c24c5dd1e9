import type { MessageInitShape } from "@bufbuild/protobuf";
import { ImportRowSchema } from "@smartcart/gen/inventory/v1/catalogue_import_pb";

/** A line of a file of goods, its cells as text. */
export type GoodsRow = MessageInitShape<typeof ImportRowSchema>;

/** A cell that cannot be imported, and why. */
export interface GoodsProblem {
  readonly line: number;
  readonly field: string;
  readonly message: string;
}

/** A line of the file, read or refused. A bad line does not stop the others. */
export type GoodsLine = { readonly row: GoodsRow } | { readonly problem: GoodsProblem };

/** A file as a whole cannot be read. The message is a sentence for the operator. */
export class GoodsFileError extends Error {
  override readonly name = "GoodsFileError";
}

/** Longest line, in characters: a call of this many bytes at most passes every proxy, and no good cell is that long. */
export const maxLineLength = 60_000;

// The contract has the columns: "product_id" is the cell productId.
const cells = ImportRowSchema.fields.filter(({ name }) => name !== "line");

/** The columns of a file of goods, in the order in which they are exported. */
export const goodsColumns: readonly string[] = cells.map(({ name }) => name);

export const unknownColumn = `is not a column of a file of goods; these are: ${goodsColumns.join(", ")}`;

/** The cell by the name of its column, also in camel case; undefined: there is no such column. */
export function cellOfColumn(column: string): string | undefined {
  const name = column
    .trim()
    .replace(/[A-Z]/g, (letter, index) => (index === 0 ? letter : `_${letter}`))
    .toLowerCase();
  return cells.find((cell) => cell.name === name)?.localName;
}
