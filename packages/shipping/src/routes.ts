import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { ShipmentSchema, ShipmentStatus } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import type { Queryable } from "@smartcart/store";
import { shipmentNotFound, shipmentStarted } from "./errors.ts";
import type { Shipment } from "./shipment.ts";
import { deleteShipments, findShipment, insertCancelled, isFailing } from "./store.ts";

/** The RPCs of smartcart.shipping.v1.ShippingService. */
export function createShippingRoutes(database: Queryable): ServiceImpl<typeof ShippingService> {
  return {
    async cancelShipment({ orderId }) {
      // Two statements and no transaction: a row outlives the order's saga, so what is read is what the insert met.
      await insertCancelled(database, orderId);
      const shipment = await findShipment(database, orderId);
      if (shipment?.status !== "CANCELLED") throw shipmentStarted(orderId);
      return { shipment: toMessage(shipment) };
    },

    async getShipment({ orderId }) {
      const shipment = await findShipment(database, orderId);
      if (shipment) return { shipment: toMessage(shipment) };
      if (!(await isFailing(database, orderId))) throw shipmentNotFound(orderId);
      return { shipment: { orderId, status: ShipmentStatus.FAILING } };
    },

    async batchDeleteShipments({ orderIds }) {
      await deleteShipments(database, orderIds);
      return {};
    },
  };
}

function toMessage(shipment: Shipment) {
  const { orderId } = shipment;
  const started = { orderId, status: ShipmentStatus[shipment.status] };
  if (shipment.status === "CANCELLED") return create(ShipmentSchema, started);
  const startedAt = timestampFromDate(shipment.startedAt);
  if (shipment.status === "STARTED") return create(ShipmentSchema, { ...started, startedAt });
  return create(ShipmentSchema, {
    ...started,
    startedAt,
    shippedAt: timestampFromDate(shipment.shippedAt),
    trackingNumber: shipment.trackingNumber,
  });
}
