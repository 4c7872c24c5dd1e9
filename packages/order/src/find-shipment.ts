import type { Client } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Shipment, ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";

/** Asks shipping for the shipment of an order. Undefined where none has started; rejects where shipping does not answer. */
export async function findShipment(
  shipping: Pick<Client<typeof ShippingService>, "getShipment">,
  orderId: string,
  signal: AbortSignal,
): Promise<Shipment | undefined> {
  try {
    return (await shipping.getShipment({ orderId }, { signal })).shipment;
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return undefined;
    throw error;
  }
}
