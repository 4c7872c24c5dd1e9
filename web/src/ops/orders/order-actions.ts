import type { ConfirmDialog } from "../confirm-dialog.ts";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";

/** What an operator can do about an order. */
export type OrderAction = "cancel" | "refund" | "resume";

/** An action under way or done: "" before the first one. */
export type ActionNote = { readonly tone: "" | "good" | "bad"; readonly text: string };

interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly done: string;
}

const questions: Readonly<Record<OrderAction, Question>> = {
  cancel: {
    title: "Cancel this order?",
    text: "Its payment is refunded and its items are returned to stock. The customer sees it as cancelled. An order that is being shipped cannot be cancelled.",
    yes: "Cancel the order",
    done: "The order is cancelled.",
  },
  refund: {
    title: "Refund this order?",
    text: "What the provider still holds for it is refunded. It is possible for orders that are rejected or cancelled.",
    yes: "Refund",
    done: "Nothing is held for the order any more.",
  },
  resume: {
    title: "Resume this order?",
    text: "The step that is next is taken again. An order that waits for its shipment is announced to the shipping service again; it is still shipped only once.",
    yes: "Resume",
    done: "The order continues.",
  },
};

/** The actions that a state allows. */
export function actionsFor(state: string): readonly OrderAction[] {
  switch (state) {
    case "CONFIRMED":
      return ["cancel", "resume"];
    case "REJECTED":
    case "CANCELLED":
      return ["refund"];
    case "REJECTED_REFUNDING":
    case "CANCELLED_REFUNDING":
      return ["refund", "resume"];
    case "SHIPPED":
      return [];
    default:
      return ["resume"];
  }
}

/** Asks, acts, and answers what to say about it; undefined where the answer was no. */
export async function act(
  { orders, access, signal }: Console,
  dialog: ConfirmDialog,
  action: OrderAction,
  orderId: string,
): Promise<ActionNote | undefined> {
  const { done, ...question } = questions[action];
  const text = `${question.text} The log records who did it.`;
  if (!(await dialog.ask({ ...question, text }))) return undefined;
  const call = { signal, timeoutMs: 12_000 };
  try {
    if (action === "cancel") await orders.withdrawOrder({ orderId }, call);
    else if (action === "refund") await orders.refundOrder({ orderId }, call);
    else await orders.resumeOrder({ orderId }, call);
    return { tone: "good", text: done };
  } catch (error) {
    return { tone: "bad", text: access.isDenied(error) ? "" : complaintOf(error) };
  }
}
