/** What the other services know of an order, for operators. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Payment } from "@smartcart/gen/payment/v1/payment_pb";
import type { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { Shipment, ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import type { ServiceClient } from "@smartcart/mesh";

export interface DossierSources {
  readonly payment: Pick<ServiceClient<typeof PaymentService>, "getPayment">;
  readonly shipping: Pick<ServiceClient<typeof ShippingService>, "getShipment">;
}

interface OrderDossier {
  readonly payment?: Payment;
  readonly shipment?: Shipment;
  /** Services that did not answer. */
  readonly unavailable: readonly string[];
}

/** Longest wait for a service, in milliseconds. The order itself is answered without it. */
const timeoutMs = 1_000;

/** Asks the services; one that does not answer is named. */
export async function readDossier(
  orderId: string,
  { payment, shipping }: DossierSources,
  signal: AbortSignal,
): Promise<OrderDossier> {
  const unavailable: string[] = [];
  const part = async <T>(service: string, asked: Promise<T>): Promise<T | undefined> => {
    try {
      return await asked;
    } catch (error) {
      if (ConnectError.from(error).code !== Code.NotFound) unavailable.push(service);
      return undefined;
    }
  };
  const call = { signal, timeoutMs };
  const [paid, shipped] = await Promise.all([
    part("payment", payment.getPayment({ orderId }, call)),
    part("shipping", shipping.getShipment({ orderId }, call)),
  ]);
  return {
    ...(paid?.payment && { payment: paid.payment }),
    ...(shipped?.shipment && { shipment: shipped.shipment }),
    unavailable: unavailable.sort(),
  };
}
