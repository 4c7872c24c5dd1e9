/** `smartcart mesh`: every method and frame of the contract with who may call it and how it is called. */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { accessOf, describeAccess, frameAccessOf, policyOf } from "@smartcart/contract";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { InstanceService } from "@smartcart/gen/ops/v1/instance_service_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { SubscriptionSchema } from "@smartcart/gen/status/v1/frames_pb";

const services: readonly DescService[] = [
  OrderService,
  InventoryService,
  PaymentService,
  ShippingService,
  LogService,
  OpsService,
  InstanceService,
];

/** A line per method, in columns. */
export function meshTable(): string {
  const rows = [
    ["method", "access", "time-out", "attempts", "batch", "concurrent"],
    ...services.flatMap(({ methods }) => methods.map(rowOf)),
    ["WebSocket: Subscription", describeAccess(frameAccessOf(SubscriptionSchema)), "", "", "", ""],
  ];
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

function rowOf(method: DescMethod): string[] {
  const { timeoutMs, retry, batch, maxConcurrency } = policyOf(method);
  return [
    `${method.parent.name}/${method.name}`,
    describeAccess(accessOf(method)),
    timeoutMs === undefined ? "" : `${timeoutMs} ms`,
    retry === undefined ? "" : String(retry.maxAttempts),
    batch === undefined ? "" : `${batch.method} (${batch.maxItems})`,
    maxConcurrency === 0 ? "" : String(maxConcurrency),
  ];
}
