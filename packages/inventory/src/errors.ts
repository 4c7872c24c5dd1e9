import { Code } from "@connectrpc/connect";
import { DomainError, ValidationError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

/** NOT_FOUND: the catalogue has no such product. */
export function productNotFound(productId: string): DomainError {
  return new DomainError({
    code: "PRODUCT_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Product not found",
    message: `There is no product "${productId}". ListProducts names those that there are.`,
  });
}

/** NOT_FOUND: nobody reserved or released under this id. */
export function reservationNotFound(reservationId: string): DomainError {
  return new DomainError({
    code: "RESERVATION_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Reservation not found",
    message: `There is no reservation "${reservationId}". Reserve first, then commit.`,
  });
}

/** FAILED_PRECONDITION: what was released stays released. */
export function reservationReleased(reservationId: string): DomainError {
  return new DomainError({
    code: "RESERVATION_RELEASED",
    rpcCode: Code.FailedPrecondition,
    title: "Reservation released",
    message: `Reservation "${reservationId}" was released and cannot be committed any more. Reserve under a new id.`,
  });
}

/** ALREADY_EXISTS: the id stands for other lines. */
export function reservationExists(reservationId: string): DomainError {
  return new DomainError({
    code: "RESERVATION_EXISTS",
    rpcCode: Code.AlreadyExists,
    title: "Reservation exists",
    message: `Reservation "${reservationId}" exists with other lines. Repeat it with the same lines or choose a new id.`,
  });
}

/** INVALID_ARGUMENT: a page token that ListProducts did not give out. */
export function invalidPageToken(): DomainError {
  return new ValidationError([
    {
      field: "pageToken",
      message: "is not a token that ListProducts gave out; leave it empty for the first page",
    },
  ]);
}

/** What a caller is told while the database is away. */
export const stockUnavailable: Unavailable = {
  code: "STOCK_UNAVAILABLE",
  title: "Stock unavailable",
  message: "The stock cannot be reached at the moment. Repeat the same request in a second.",
};
