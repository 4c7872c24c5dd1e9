import type { Order_StatusJson, OrderJson } from "@smartcart/gen/order/v1/order_pb";

/** The status of an order as a word and a tone. */
export interface StatusWord {
  readonly text: string;
  readonly tone: "good" | "bad" | "neutral" | "open";
}

/** In words. An order without a status comes from a backend that is newer than this page. */
export function statusWord(status: Order_StatusJson | undefined): StatusWord {
  switch (status) {
    case "PENDING":
      return { text: "Pending", tone: "open" };
    case "CONFIRMED":
      return { text: "Confirmed", tone: "good" };
    case "SHIPPING":
      return { text: "Shipping", tone: "good" };
    case "SHIPPED":
      return { text: "Shipped", tone: "good" };
    case "REJECTED":
      return { text: "Rejected", tone: "bad" };
    case "CANCELLED":
      return { text: "Cancelled", tone: "neutral" };
    case "STATUS_UNSPECIFIED":
    case undefined:
      return { text: "Unknown", tone: "neutral" };
  }
}

/** "2 × Ceramic Mug, 1 × Olive Oil" */
export function itemsSummary(order: OrderJson): string {
  return (order.items ?? []).map((item) => `${item.quantity} × ${item.name}`).join(", ");
}

/** Whether the status never changes again. */
export function isFinal({ status }: OrderJson): boolean {
  return status === "SHIPPED" || status === "REJECTED" || status === "CANCELLED";
}

/** "#SC1N5F": enough to tell the orders of one customer apart. The random end of the id, not the time at its beginning. */
export function shortOrderId(orderId: string): string {
  return `#${orderId.slice(-6)}`;
}
