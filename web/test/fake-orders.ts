/** Orders and the past day, as the fake services tell them. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import type { MeshMinuteSchema } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { OrderStorySchema } from "@smartcart/gen/ops/v1/order_story_pb";
import type { OrderSummarySchema } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";

/** An order that waits for its shipment. */
export function fakeSummary(
  orderId: string,
  second: number,
): MessageInitShape<typeof OrderSummarySchema> {
  const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });
  return {
    order: {
      orderId,
      userId: "ada",
      items: [{ productId: "ceramic-mug", name: "Ceramic Mug", quantity: 2, unitPrice: usd(900n) }],
      total: usd(1_800n),
      address: "1 Main St, Springfield",
      placedAt: timestampFromMs((second - 60) * 1_000),
    },
    state: "CONFIRMED",
  };
}

/** Its story: history, lines of three services, a dead letter. */
export function fakeStory(
  orderId: string,
  second: number,
): MessageInitShape<typeof OrderStorySchema> {
  const at = (ms: number) => timestampFromMs((second - 60) * 1_000 + ms);
  const statuses = ["Order Received", "Stock Reserved", "Payment Confirmed", "Order Confirmed"];
  const lines = [
    ["inventory", "inventory.held", "the reservation is HELD"],
    ["payment", "payment.captured", "the payment is CAPTURED"],
    ["order", "operator.called", "olga called ResumeOrder"],
  ] as const;
  return {
    order: fakeSummary(orderId, second),
    events: statuses.map((status, index) => ({
      orderId,
      sequence: index + 1,
      status,
      occurredAt: at(index * 40),
      service: ["order", "inventory", "payment", "order"][index] ?? "order",
    })),
    payment: { orderId, status: PaymentStatus.CAPTURED },
    records: lines.map(([service, event, message], index) => ({
      recordId: `r${index}`,
      occurredAt: at(index * 40 + 35),
      severity: Severity.INFO,
      service,
      event,
      message,
      orderId,
    })),
    deadLetters: [
      {
        queue: "orders",
        messageId: `${orderId}:placed`,
        reason: "no such street",
        attempts: 4,
        failedAt: at(500),
      },
    ],
    unavailable: ["shipping"],
  };
}

/** The figures of a day. */
export function fakeMinutes(second: number): MessageInitShape<typeof MeshMinuteSchema>[] {
  const last = Math.floor(second / 60);
  return Array.from({ length: 1_440 }, (_, index) => ({
    beginsAt: timestampFromMs((last - 1_440 + index) * 60_000),
    orders: [{ state: "SHIPPING", count: BigInt(20 + (index % 17)) }],
    clientRatePerSecond: 24 + 10 * Math.sin(index / 90),
    clientP99Ms: 40,
    deadLetters: 0n,
  }));
}
