import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { formatMoney } from "../ui/money.ts";
import { paymentWords } from "./payment-words.ts";

/** The heading of an order's page: its status, in the customer's words. */
export interface OutcomeWords {
  readonly title: string;
  readonly text: string;
  readonly tone: "good" | "warn" | "bad" | "neutral";
}

/** By status. `isRefunded`: the order was paid before it ended. */
export function outcomeWords(order: OrderJson, isRefunded: boolean): OutcomeWords {
  switch (order.status) {
    case "PENDING":
      return {
        title: "Thank you, we are checking the payment",
        text: "Your order is stored and cannot be lost. This page shows the outcome as soon as it is known. Do not order again.",
        tone: "warn",
      };
    case "CONFIRMED":
      return {
        title: "Thank you, your order is confirmed",
        text: "It is paid. We are about to pack it.",
        tone: "good",
      };
    case "SHIPPING":
      return {
        title: "Thank you, we are packing it",
        text: "The parcel leaves shortly. Its tracking number appears here.",
        tone: "good",
      };
    case "SHIPPED":
      return {
        title: "Thank you, it's on its way",
        text: "The parcel has left the warehouse.",
        tone: "good",
      };
    case "REJECTED":
      return { ...rejected(order, isRefunded), tone: "bad" };
    case "CANCELLED":
      return {
        title: "Your order is cancelled",
        text: `${formatMoney(order.total)} is refunded to your card, and the items are back in stock.`,
        tone: "neutral",
      };
    default:
      // From a backend that is newer than this page.
      return { title: "Your order", text: "", tone: "neutral" };
  }
}

function rejected(order: OrderJson, isRefunded: boolean): Pick<OutcomeWords, "title" | "text"> {
  const charged = isRefunded ? "refunded" : "not charged";
  if (order.rejection?.code !== "OUT_OF_STOCK") {
    const { title, advice } = paymentWords(order.rejection?.reason);
    return { title: `${title}: ${charged}`, text: `${advice} This order is closed.` };
  }
  return {
    title: `Not enough in stock: ${charged}`,
    text: `${shortage(order)} This order is closed.`,
  };
}

function shortage({ rejection, items = [] }: OrderJson): string {
  return (rejection?.lines ?? [])
    .map(({ productId, requested = 0, available = 0 }) => {
      const name = items.find((item) => item.productId === productId)?.name ?? productId;
      return `${name}: ${requested} requested, ${available} available.`;
    })
    .join(" ");
}
