import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import type { Answer } from "../api/rest.ts";

/** State of a cancellation. */
export type Cancellation =
  /** Not requested. */
  | { readonly kind: "none" }
  /** Asked for, and to be confirmed. */
  | { readonly kind: "asking" }
  | { readonly kind: "sending" }
  /** Stored by the shop, which pays back and puts back by itself; the order does not say so yet. */
  | { readonly kind: "under-way" }
  /** The order ended some other way, and its page says how. */
  | { readonly kind: "moot" }
  | { readonly kind: "too-late" }
  /** Whether the order goes through is not decided; it can be cancelled once it is. */
  | { readonly kind: "too-early" }
  /** It is not known whether the shop heard of it; asking again is safe. `detail` is for people and may be empty. */
  | { readonly kind: "failed"; readonly detail: string };

/** What an answer to the cancellation means. */
export function cancellationAfter(answer: Answer<OrderJson>): Cancellation {
  if (answer.kind === "unreachable") return { kind: "failed", detail: "" };
  if (answer.kind === "ok") {
    return answer.body.status === "CANCELLED" ? { kind: "moot" } : { kind: "under-way" };
  }
  const { code, detail, title } = answer.problem;
  switch (code) {
    case "ORDER_ALREADY_SHIPPING":
      return { kind: "too-late" };
    case "ORDER_NOT_SETTLED":
      return { kind: "too-early" };
    case "ORDER_REJECTED":
      return { kind: "moot" };
    default:
      return { kind: "failed", detail: detail || title };
  }
}

/** Whether the page offers to cancel an order of this status. */
export function isCancellable({ status }: OrderJson): boolean {
  return status === "CONFIRMED" || status === "PENDING";
}
