/** `smartcart mesh`: every method and frame of the contract with who may call it and how it is called. */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { accessOf, describeAccess, frameAccessOf, policyOf } from "@smartcart/contract";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { InstanceService } from "@smartcart/gen/ops/v1/instance_service_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { OrderAdminService } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { SubscriptionSchema } from "@smartcart/gen/status/v1/frames_pb";

const services: readonly DescService[] = [
  OrderService,
  OrderAdminService,
  InventoryService,
  PaymentService,
  ShippingService,
  LogService,
  OpsService,
  InstanceService,
];

/** A method, or the frame of a WebSocket that needs access, as `smartcart mesh --json` prints it. Absent: none. */
interface MeshMethod {
  readonly method: string;
  /** Who may call it. */
  readonly access: string;
  readonly timeoutMs?: number;
  readonly maxAttempts?: number;
  /** The method that concurrent calls are combined into. */
  readonly batch?: { readonly method: string; readonly maxItems: number };
  readonly maxConcurrency?: number;
}

export function meshMethods(): MeshMethod[] {
  const frame = {
    method: "WebSocket: Subscription",
    access: describeAccess(frameAccessOf(SubscriptionSchema)),
  };
  return [...services.flatMap(({ methods }) => methods.map(meshMethod)), frame];
}

function meshMethod(method: DescMethod): MeshMethod {
  const { timeoutMs, retry, batch, maxConcurrency } = policyOf(method);
  return {
    method: `${method.parent.name}/${method.name}`,
    access: describeAccess(accessOf(method)),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(retry !== undefined && { maxAttempts: retry.maxAttempts }),
    ...(batch !== undefined && { batch: { method: batch.method, maxItems: batch.maxItems } }),
    ...(maxConcurrency > 0 && { maxConcurrency }),
  };
}

/** One line per method, in columns. */
export function meshTable(): string {
  const rows = [
    ["method", "access", "time-out", "attempts", "batch", "concurrent"],
    ...meshMethods().map(columnsOf),
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

function columnsOf({ method, access, timeoutMs, maxAttempts, batch, maxConcurrency }: MeshMethod) {
  return [
    method,
    access,
    timeoutMs === undefined ? "" : `${timeoutMs} ms`,
    String(maxAttempts ?? ""),
    batch === undefined ? "" : `${batch.method} (${batch.maxItems})`,
    String(maxConcurrency ?? ""),
  ];
}
