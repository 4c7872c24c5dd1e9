/** Cells of the access matrix: a caller, a method, and what the contract allows. */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Transport } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { accessOf } from "@smartcart/contract";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { InstanceService } from "@smartcart/gen/ops/v1/instance_service_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { OrderAdminService } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";

/** Where each service is served. */
export const served: readonly (readonly [service: DescService, at: string])[] = [
  [OrderService, "order"],
  [OrderAdminService, "order"],
  [InventoryService, "inventory"],
  [PaymentService, "payment"],
  [ShippingService, "shipping"],
  [LogService, "log"],
  [OpsService, "ops"],
  [InstanceService, "payment"],
];

type Kind = "customer" | "operator" | "service" | "anonymous" | "bad token";
export interface Who {
  readonly kind: Kind;
  readonly name?: string;
  /** For a call of that service. */
  readonly headers: (at: string) => Promise<Record<string, string>> | Record<string, string>;
}
export type AccessOutcome = "let in" | "not known" | "not allowed" | "not served";

export function expected(method: DescMethod, { kind, name = "" }: Who): AccessOutcome {
  const rule = accessOf(method);
  if (rule.isPublic) return "let in";
  switch (kind) {
    case "anonymous":
    case "bad token":
      return "not known";
    case "customer":
      return rule.customer ? "let in" : "not allowed";
    case "operator":
      return rule.operator ? "let in" : "not allowed";
    case "service":
      return rule.services.includes(name) ? "let in" : "not allowed";
  }
}

/** The outcome that an answer shows: what happens after the access check does not matter here. */
function outcomeOf(code: Code | undefined): AccessOutcome {
  if (code === Code.Unauthenticated) return "not known";
  if (code === Code.PermissionDenied) return "not allowed";
  return code === Code.Unimplemented ? "not served" : "let in";
}

/** Nothing but what ties it to the customer: access is checked before all rules of a request. */
function requestOf(method: DescMethod, orderId: string) {
  const request = create(method.input);
  const { resource } = accessOf(method).customer ?? {};
  if (resource) reflect(method.input, request).set(resource, orderId);
  return request;
}

/** The outcome of a call. On a busy machine a refusal may be slow, so an unexpected outcome is tried again with a longer time-out. */
export async function checkAccess(
  transport: Transport,
  method: DescMethod,
  { wanted, ...o }: Asked & { readonly wanted: AccessOutcome },
) {
  const quick = await call(transport, method, o, 1_000);
  const outcome = quick === wanted ? quick : await call(transport, method, o, 20_000);
  return [method, wanted, outcome] as const;
}

/** What a cell calls with. */
interface Asked {
  readonly headers: Record<string, string>;
  /** An order of the customer. */
  readonly orderId: string;
}

async function call(
  transport: Transport,
  method: DescMethod,
  { headers, orderId }: Asked,
  patienceMs: number,
): Promise<AccessOutcome> {
  const client = createClient(method.parent, transport) as never as Record<
    string,
    (request: object, o: object) => unknown
  >;
  const end = new AbortController();
  // An open stream that has nothing to say has let the caller in.
  const timer = setTimeout(() => end.abort(), patienceMs);
  try {
    const answer = client[method.localName]?.(requestOf(method, orderId), {
      headers,
      signal: end.signal,
    });
    if (method.methodKind === "unary") await answer;
    else for await (const _ of answer as AsyncIterable<unknown>) break;
    return "let in";
  } catch (error) {
    return outcomeOf(ConnectError.from(error).code);
  } finally {
    clearTimeout(timer);
    end.abort();
  }
}

export function wrongOnes(
  outcomes: readonly (readonly [DescMethod, AccessOutcome, AccessOutcome])[],
): string[] {
  return outcomes.flatMap(([method, wanted, outcome]) =>
    wanted === outcome ? [] : [`${method.parent.name}/${method.name}: ${outcome}, not ${wanted}`],
  );
}
