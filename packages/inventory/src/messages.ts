import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type {
  CommitReservationResponseSchema,
  ReserveResponseSchema,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { Product as ProductMessage } from "@smartcart/gen/inventory/v1/product_pb";
import { ProductSchema } from "@smartcart/gen/inventory/v1/product_pb";
import type {
  Reservation as ReservationMessage,
  ShortLine as ShortLineMessage,
} from "@smartcart/gen/inventory/v1/reservation_pb";
import {
  ReservationSchema,
  ShortLineSchema,
  ReservationStatus as Status,
} from "@smartcart/gen/inventory/v1/reservation_pb";
import type { Product } from "./catalogue.ts";
import type { Reservation, ReservationStatus } from "./reservation.ts";
import type { Outcome } from "./reservation-outcome.ts";
import type { ShortLine } from "./stock-ledger.ts";

const statuses: Readonly<Record<ReservationStatus, Status>> = {
  HELD: Status.HELD,
  COMMITTED: Status.COMMITTED,
  RELEASED: Status.RELEASED,
  EXPIRED: Status.EXPIRED,
};

/** A product as the contract shows it. */
export function toProductMessage(product: Product): ProductMessage {
  const { currencyCode, priceMinor, ...rest } = product;
  return create(ProductSchema, { ...rest, price: { currencyCode, minorUnits: priceMinor } });
}

/** A reservation as the contract shows it; the expiry only as long as it is held. */
export function toReservationMessage(reservation: Reservation): ReservationMessage {
  const { reservationId, lines, status, expiresAt } = reservation;
  return create(ReservationSchema, {
    reservationId,
    lines: lines.map(({ productId, quantity }) => ({ productId, quantity })),
    status: statuses[status],
    ...(status === "HELD" && expiresAt ? { expiresAt: timestampFromDate(expiresAt) } : {}),
  });
}

/** A line that fell short, as the contract shows it. */
export function toShortLineMessage(line: ShortLine): ShortLineMessage {
  return create(ShortLineSchema, line);
}

/** The answer of a reserve or a commit. */
export function toOutcomeMessage(
  outcome: Outcome,
): MessageInitShape<typeof ReserveResponseSchema> &
  MessageInitShape<typeof CommitReservationResponseSchema> {
  switch (outcome.kind) {
    case "reservation":
      return {
        outcome: { case: "reservation", value: toReservationMessage(outcome.reservation) },
      };
    case "shortage":
      return {
        outcome: { case: "shortage", value: { lines: outcome.lines.map(toShortLineMessage) } },
      };
  }
}
