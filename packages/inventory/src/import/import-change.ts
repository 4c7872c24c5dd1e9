/** What a line of an import changes, cell by cell, as the file writes them. Pure. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ImportChangeSchema } from "@smartcart/gen/inventory/v1/catalogue_import_pb";
import { formatAmount } from "../catalogue/amount.ts";
import type { ChangeCells, ChangeRow } from "../store/import-changes.ts";

/** A staged line as the contract shows it. */
export function toImportChange(row: ChangeRow): MessageInitShape<typeof ImportChangeSchema> {
  const before = row.is_new ? {} : textsOf(row.before);
  const after = textsOf(row.after);
  if (row.is_new) after.stock = String(row.stock ?? 0);
  const cells = Object.entries(after).flatMap(([field, text]) => {
    const old = before[field] ?? "";
    const isChanged = text !== undefined && text !== old;
    return isChanged ? [{ field, before: old, after: text }] : [];
  });
  return { line: row.line, productId: row.product_id, isNew: row.is_new, cells };
}

/** The cells by their columns; what is not in the file is undefined. */
function textsOf(cells: ChangeCells): Record<string, string | undefined> {
  const { price_minor, currency, archived, ...texts } = cells;
  const price =
    price_minor === null ? undefined : formatAmount(BigInt(price_minor), currency ?? "");
  const shown = Object.entries(texts).map(([field, text]) => [field, text ?? undefined]);
  return {
    ...Object.fromEntries(shown),
    ...{ price, currency: currency ?? undefined },
    archived: archived === null ? undefined : String(archived),
  };
}
