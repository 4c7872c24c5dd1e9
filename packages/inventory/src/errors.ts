import { Code } from "@connectrpc/connect";
import { DomainError, ValidationError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

/** NOT_FOUND: the catalogue has no such product. */
export function productNotFound(productId: string): DomainError {
  return new DomainError({
    code: "PRODUCT_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Product not found",
    message: `No product has the id "${productId}". ListProducts returns the existing ones.`,
  });
}

/** NOT_FOUND: the id was neither reserved nor released. */
export function reservationNotFound(reservationId: string): DomainError {
  return new DomainError({
    code: "RESERVATION_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Reservation not found",
    message: `No reservation has the id "${reservationId}". Call Reserve before CommitReservation.`,
  });
}

/** FAILED_PRECONDITION: what was released stays released. */
export function reservationReleased(reservationId: string): DomainError {
  return new DomainError({
    code: "RESERVATION_RELEASED",
    rpcCode: Code.FailedPrecondition,
    title: "Reservation released",
    message: `Reservation "${reservationId}" was released and can no longer be committed. Reserve with a new id.`,
  });
}

/** ALREADY_EXISTS: a reservation with other lines has the id. */
export function reservationExists(reservationId: string): DomainError {
  return new DomainError({
    code: "RESERVATION_EXISTS",
    rpcCode: Code.AlreadyExists,
    title: "Reservation exists",
    message: `Reservation "${reservationId}" exists with different lines. Send the same lines, or use a new id.`,
  });
}

/** INVALID_ARGUMENT: a page token that the method did not give out. */
export function invalidPageToken(method: string): DomainError {
  return new ValidationError([
    {
      field: "pageToken",
      message: `is not a page token of ${method}; leave it empty for the first page`,
    },
  ]);
}

/** INVALID_ARGUMENT: a catalogue that is too large to be watched as a whole. */
export function tooManyToWatch(most: number): DomainError {
  return new ValidationError([
    {
      field: "productIds",
      message: `is empty, but the catalogue has more than ${most} products; name those to watch, at most 200`,
    },
  ]);
}

/** Problem for callers while the database is unavailable. */
export const stockUnavailable: Unavailable = {
  code: "STOCK_UNAVAILABLE",
  title: "Stock unavailable",
  message: "The stock database is unavailable. Retry the same request in one second.",
};
