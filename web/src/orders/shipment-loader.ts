import type { ShipmentJson } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { getShipment } from "../api/orders.ts";
import { backoffMs, pause } from "../backoff.ts";
import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";
import type { TokenSource } from "../session/session.ts";

/** The shipment of an order; undefined until there is one. */
export interface ShipmentLoader
  extends Pick<Observable<ShipmentJson | undefined>, "get" | "subscribe"> {
  /** The parcel has left: reads the shipment until its tracking number is there. Does so once. */
  load(): void;
}

export function createShipmentLoader(
  session: TokenSource,
  orderId: string,
  signal: AbortSignal,
): ShipmentLoader {
  const shipment = createObservable<ShipmentJson | undefined>(undefined);
  let isLoading = false;

  const read = async (): Promise<void> => {
    for (let failures = 0; !shipment.get()?.trackingNumber; failures += 1) {
      const answer = await getShipment(session, orderId, signal);
      if (answer.kind === "ok") shipment.set(answer.body);
      // Deleted with its order, or by a shop that keeps shipments for a shorter time.
      else if (answer.kind === "problem" && answer.problem.status === 404) return;
      else await pause(backoffMs(failures, Math.random()), signal);
    }
  };

  return {
    get: shipment.get,
    subscribe: shipment.subscribe,
    load() {
      if (isLoading) return;
      isLoading = true;
      // It rejects only when the page is left.
      read().catch(() => {});
    },
  };
}
