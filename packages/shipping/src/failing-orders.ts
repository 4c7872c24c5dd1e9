/** Remembers which orders' messages failed, so that their shipments are not taken for lost. */
import { isMessage } from "@bufbuild/protobuf";
import type { Delivery, HandledResult } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import type { Logger } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import { invalidReason } from "./shipment.ts";
import { noteFailures } from "./store.ts";

/** Notes of failed messages. Disposing writes what is noted. */
export interface FailingOrders extends AsyncDisposable {
  /** For `ConsumeOptions.onHandled`. Never throws, and is not waited for. */
  readonly onHandled: (result: HandledResult, delivery: Delivery | undefined) => void;
}

export function createFailingOrders(o: {
  readonly database: Queryable;
  readonly log: Logger;
}): FailingOrders {
  /** By order: whether its message became a dead letter. */
  let noted = new Map<string, boolean>();
  let writing = Promise.resolve();

  async function write(): Promise<void> {
    const failures = [...noted].map(([orderId, isDead]) => ({ orderId, isDead }));
    noted = new Map();
    try {
      if (failures.length > 0) await noteFailures(o.database, failures);
    } catch (error) {
      // The order may be announced once more, which is safe.
      o.log.warn("shipping.failures_not_noted", { orders: failures.length, error });
    }
  }

  return {
    onHandled(result, delivery) {
      const isFailure = result === "retry" || result === "dead-letter";
      if (!isFailure || !delivery || !isMessage(delivery.message, OrderPlacedSchema)) return;
      const { orderId } = delivery.message;
      if (invalidReason(orderId) !== undefined) return;
      // All of a batch are noted in one statement.
      if (noted.size === 0) writing = writing.then(write);
      noted.set(orderId, result === "dead-letter");
    },
    [Symbol.asyncDispose]: () => writing,
  };
}
