/** The errors of the catalogue's administration. The codes are stable; clients branch on them. */
import { Code } from "@connectrpc/connect";
import { ProductChangedSchema } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { DomainError } from "@smartcart/mesh";
import { toCatalogueProductMessage } from "../messages.ts";
import type { CatalogueProduct } from "./catalogue.ts";
import { maxStock } from "./catalogue.ts";

/** ABORTED: the product is no longer at the revision at which it was read. */
export function productChanged(current: CatalogueProduct): DomainError {
  return new DomainError({
    code: "PRODUCT_CHANGED",
    rpcCode: Code.Aborted,
    title: "Product changed",
    message: `Product "${current.productId}" was changed since it was read: it is now at revision ${current.revision}. Look at its current values, and repeat the edit with this revision if it is still wanted.`,
    details: [
      { desc: ProductChangedSchema, value: { current: toCatalogueProductMessage(current) } },
    ],
  });
}

/** ALREADY_EXISTS: a product with other values has the id. */
export function productExists(productId: string): DomainError {
  return new DomainError({
    code: "PRODUCT_EXISTS",
    rpcCode: Code.AlreadyExists,
    title: "Product exists",
    message: `A product with the id "${productId}" exists, perhaps archived. Update it, or use a new id.`,
  });
}

/** FAILED_PRECONDITION: fewer units are available than are to be taken away. */
export function stockTooLow(productId: string, available: number): DomainError {
  return new DomainError({
    code: "STOCK_TOO_LOW",
    rpcCode: Code.FailedPrecondition,
    title: "Stock too low",
    message: `Product "${productId}" has ${available} units available: no more can be taken away. Reserved and sold units are not available.`,
  });
}

/** FAILED_PRECONDITION: more units than the stock of a product can have. */
export function stockTooHigh(productId: string, available: number): DomainError {
  return new DomainError({
    code: "STOCK_TOO_HIGH",
    rpcCode: Code.FailedPrecondition,
    title: "Stock too high",
    message: `Product "${productId}" has ${available} units available, and at most ${maxStock} are possible. Add fewer units.`,
  });
}

/** ALREADY_EXISTS: another adjustment has the id. */
export function adjustmentExists(adjustmentId: string): DomainError {
  return new DomainError({
    code: "ADJUSTMENT_EXISTS",
    rpcCode: Code.AlreadyExists,
    title: "Adjustment exists",
    message: `The adjustment "${adjustmentId}" exists with other values. Send the same values, or use a new id.`,
  });
}

/** ALREADY_EXISTS: the import was applied; a new file needs a new id. */
export function importExists(importId: string): DomainError {
  return new DomainError({
    code: "IMPORT_EXISTS",
    rpcCode: Code.AlreadyExists,
    title: "Import exists",
    message: `The import "${importId}" was committed before. Stage the lines under a new id.`,
  });
}

/** NOT_FOUND: nothing was staged under this id, or it was too long ago. */
export function importNotFound(importId: string): DomainError {
  return new DomainError({
    code: "IMPORT_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Import not found",
    message: `No import "${importId}" is staged; it may have expired. Stage its lines again.`,
  });
}

/** FAILED_PRECONDITION: not every line arrived, or the database lost them in a crash. */
export function importIncomplete(importId: string, staged: number, rows: number): DomainError {
  return new DomainError({
    code: "IMPORT_INCOMPLETE",
    rpcCode: Code.FailedPrecondition,
    title: "Import incomplete",
    message: `Of the import "${importId}" ${staged} lines are staged, not ${rows}. Nothing was changed. Stage all lines again under a new id.`,
  });
}

/** FAILED_PRECONDITION: some lines were rejected, and all were to be imported or none. */
export function importHasProblems(importId: string, rejected: number): DomainError {
  return new DomainError({
    code: "IMPORT_HAS_PROBLEMS",
    rpcCode: Code.FailedPrecondition,
    title: "Import has problems",
    message: `${rejected} lines of the import "${importId}" were rejected, so nothing was changed. Correct them, or set keep_going to import the others.`,
  });
}
