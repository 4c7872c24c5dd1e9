import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import { LogRecordSchema, Severity } from "@smartcart/gen/log/v1/log_pb";
import type { LogFilter } from "@smartcart/gen/log/v1/log_service_pb";

/** What an order leaves in the log: service, event, words. */
const lines = [
  ["order", "order.received", "stored with its key"],
  ["inventory", "inventory.reserved", "2 lines set aside"],
  ["payment", "payment.captured", "the provider charged $12.50"],
  ["order", "order.confirmed", "paid and sold"],
  ["notification", "outbox.relayed", "1 event published"],
  ["shipping", "shipment.started", "the parcel is being prepared"],
  ["order", "order.shipping", "folded into the history"],
  ["shipping", "shipment.shipped", "on its way"],
] as const;

const { INFO, WARN, ERROR } = Severity;
let written = 0;

/** The id of the n-th order that the log tells of. */
export function fakeOrderId(index: number): string {
  return `ORD-01KB${index.toString(32).toUpperCase().padStart(22, "0")}`;
}

/** So many lines up to a second, oldest first, each with an id of its own. */
export function fakeLogRecords(
  second: number,
  count: number,
  filter: LogFilter | undefined,
): LogRecord[] {
  const records = Array.from({ length: count }, (_, index) =>
    recordAt(second * 1_000 - (count - index) * 9),
  );
  return records.filter((record) => matches(record, filter));
}

function recordAt(ms: number): LogRecord {
  const index = written++;
  const [service, event, message] = lines[index % lines.length] ?? lines[0];
  const order = Math.floor(index / lines.length);
  const severity = index % 61 === 7 ? ERROR : index % 23 === 5 ? WARN : INFO;
  return create(LogRecordSchema, {
    recordId: String(index),
    occurredAt: timestampFromMs(Math.round(ms)),
    severity,
    service,
    event: severity === ERROR ? "bus.given-up" : severity === WARN ? "call.retried" : event,
    message: severity === INFO ? message : "the peer did not answer in time",
    orderId: fakeOrderId(order),
    traceId: (order * 0x9e3779b1)
      .toString(16)
      .padStart(8, "0")
      .slice(-8)
      .padEnd(32, "4bf92f3577b34da6a3ce929d"),
    attributes: { attempt: (index % 3) + 1, durationMs: index % 17 },
  });
}

function matches(
  { message, event, orderId, traceId, service, severity }: LogRecord,
  filter?: LogFilter,
): boolean {
  if (!filter) return true;
  return (
    `${message} ${event}`.toLowerCase().includes(filter.text.toLowerCase()) &&
    (filter.orderId === "" || filter.orderId === orderId) &&
    (filter.traceId === "" || filter.traceId === traceId) &&
    (filter.service === "" || filter.service === service) &&
    severity >= filter.minSeverity
  );
}
