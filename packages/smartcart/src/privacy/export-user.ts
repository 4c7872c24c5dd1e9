/** What all services hold of a customer, order by order. */
import type { JsonValue } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { LogRecordSchema } from "@smartcart/gen/log/v1/log_pb";
import type { OrderRecord } from "@smartcart/gen/order/v1/order_service_pb";
import { OrderRecordSchema } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentSchema } from "@smartcart/gen/payment/v1/payment_pb";
import { ShipmentSchema } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import type { Attached } from "../attach/attach.ts";
import type { OperatorClients } from "../attach/operator-clients.ts";
import { createOperatorClients } from "../attach/operator-clients.ts";
import type { DeadLetterOfOrder } from "../dead-letters/dead-letters-by-order.ts";
import { deadLettersByOrder } from "../dead-letters/dead-letters-by-order.ts";

/** Log records of one order that are exported, the newest. */
const mostRecords = 1_000;
const pageSize = 100;

/** An order with what every service holds of it; each part in proto3 JSON. */
export interface ExportedOrder {
  readonly order: JsonValue;
  readonly payment?: JsonValue | undefined;
  readonly shipment?: JsonValue | undefined;
  readonly logRecords: readonly JsonValue[];
  readonly deadLetters: readonly DeadLetterOfOrder[];
}

/** The orders of a customer, newest first. */
export async function* exportOf(
  running: Attached,
  userId: string,
): AsyncGenerator<ExportedOrder, void> {
  using clients = createOperatorClients(running);
  const { deadLetters: deadLettersOf } = await deadLettersByOrder(running.bus, userId);
  for await (const record of recordsOf(clients, userId)) {
    const orderId = record.order?.orderId ?? "";
    const { records } = await clients.log.searchLogs(
      { filter: { orderId }, pageSize: mostRecords },
      clients.as,
    );
    yield {
      order: toJson(OrderRecordSchema, record),
      ...(await shippedAndPaid(clients, orderId)),
      logRecords: records.map((one) => toJson(LogRecordSchema, one)),
      deadLetters: deadLettersOf.get(orderId) ?? [],
    };
  }
}

/** What the order service holds of a customer, newest first. */
export async function* recordsOf(
  { order, as }: OperatorClients,
  userId: string,
): AsyncGenerator<OrderRecord, void> {
  let pageToken = "";
  do {
    const page = await order.exportUser({ userId, pageSize: pageSize, pageToken }, as);
    yield* page.records;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

async function shippedAndPaid({ payment, shipping, as }: OperatorClients, orderId: string) {
  const [paid, shipped] = await Promise.all([
    orNone(payment.getPayment({ orderId }, as)),
    orNone(shipping.getShipment({ orderId }, as)),
  ]);
  return {
    payment: paid?.payment && toJson(PaymentSchema, paid.payment),
    shipment: shipped?.shipment && toJson(ShipmentSchema, shipped.shipment),
  };
}

/** An order that was rejected has neither. */
async function orNone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return undefined;
    throw error;
  }
}
