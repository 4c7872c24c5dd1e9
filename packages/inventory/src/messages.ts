import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { CatalogueProduct as CatalogueProductMessage } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { CatalogueProductSchema } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
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
import type { StockAdjustment as StockAdjustmentMessage } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import {
  StockAdjustmentReason as Reason,
  StockAdjustmentSchema,
} from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import type { CatalogueProduct, Product } from "./catalogue/catalogue.ts";
import type { Reservation, ReservationStatus } from "./reservations/reservation.ts";
import type { Outcome } from "./reservations/reservation-outcome.ts";
import type { AdjustmentReason, StockAdjustment } from "./stock/stock-adjustment.ts";
import type { ShortLine } from "./stock/stock-ledger.ts";

const statuses: Readonly<Record<ReservationStatus, Status>> = {
  HELD: Status.HELD,
  COMMITTED: Status.COMMITTED,
  RELEASED: Status.RELEASED,
  EXPIRED: Status.EXPIRED,
};

/** A product as the contract shows it. */
export function toProductMessage(product: Product): ProductMessage {
  const { productId, name, description, category, emoji, pictureUrl, currencyCode } = product;
  const { priceMinor, available, version, archived } = product;
  return create(ProductSchema, {
    ...{ productId, name, description, category, emoji, pictureUrl, available, version, archived },
    price: { currencyCode, minorUnits: priceMinor },
  });
}

/** A product as the contract shows it to operators. */
export function toCatalogueProductMessage(product: CatalogueProduct): CatalogueProductMessage {
  const { revision, reserved, updatedAt } = product;
  return create(CatalogueProductSchema, {
    product: toProductMessage(product),
    revision,
    reserved,
    updatedAt: timestampFromDate(updatedAt),
  });
}

const reasons: Readonly<Record<AdjustmentReason, Reason>> = {
  RECEIVED: Reason.RECEIVED,
  RETURNED: Reason.RETURNED,
  WRITTEN_OFF: Reason.WRITTEN_OFF,
  CORRECTED: Reason.CORRECTED,
};

/** The reason that a valid request names. */
export function toAdjustmentReason(reason: Reason): AdjustmentReason {
  const found = Object.entries(reasons).find(([, value]) => value === reason);
  return found?.[0] as AdjustmentReason;
}

/** An entry of the ledger as the contract shows it. */
export function toAdjustmentMessage(adjustment: StockAdjustment): StockAdjustmentMessage {
  const { sequence: _sequence, reason, adjustedAt, ...rest } = adjustment;
  return create(StockAdjustmentSchema, {
    ...rest,
    reason: reasons[reason],
    adjustedAt: timestampFromDate(adjustedAt),
  });
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
