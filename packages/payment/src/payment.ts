import type { ChargeResult, Money } from "./payment-provider.ts";

/** A payment's life: PENDING to CAPTURED, DECLINED or FAILED; CAPTURED to REFUNDED. */
export type PaymentStatus = "PENDING" | "CAPTURED" | "DECLINED" | "FAILED" | "REFUNDED";

/** What an order asks for. */
export interface Charge {
  readonly userId: string;
  readonly amount: Money;
}

/** The one payment of an order. */
export interface Payment {
  readonly orderId: string;
  /** Undefined if a refund closed the order before a charge was requested. */
  readonly charge: Charge | undefined;
  readonly status: PaymentStatus;
  /** Why it was declined or failed; empty otherwise. */
  readonly declineCode: string;
  /** The provider's own reference; empty until it captured. */
  readonly providerReference: string;
  /** The means of payment, known only while PENDING. */
  readonly paymentToken: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Where a PENDING payment comes to by the provider's answer. */
export interface Settlement {
  readonly orderId: string;
  readonly status: "CAPTURED" | "DECLINED" | "FAILED";
  readonly declineCode: string;
  readonly providerReference: string;
}

/** Why a payment failed that a refund closed before it was charged. */
export const closedCode = "closed";

/** Whether a repeated request has the values of the payment. Always false for a closed payment. */
export function isRepetition(payment: Payment, charge: Charge): boolean {
  const first = payment.charge;
  return (
    !first ||
    (first.userId === charge.userId &&
      first.amount.currencyCode === charge.amount.currencyCode &&
      first.amount.minorUnits === charge.amount.minorUnits)
  );
}

/** What the provider's answer makes of a PENDING payment. */
export function settlementOf(orderId: string, result: ChargeResult): Settlement {
  switch (result.status) {
    case "captured":
      return {
        orderId,
        status: "CAPTURED",
        declineCode: "",
        providerReference: storable(result.reference),
      };
    case "declined":
      return { orderId, status: "DECLINED", ...refusal(result.declineCode) };
    case "failed":
      return { orderId, status: "FAILED", ...refusal(result.declineCode) };
  }
}

/** A refusal always has a code: clients tell by it why. */
function refusal(declineCode: string): { declineCode: string; providerReference: string } {
  return { declineCode: storable(declineCode) || "unspecified", providerReference: "" };
}

/** A provider may answer any text. PostgreSQL takes no NUL, and one answer must not fail the statement of its whole batch. */
function storable(text: string): string {
  return text.replaceAll("\0", "\u{fffd}");
}

/** What is left to do so that no money of an order stays taken. */
export function refundStepOf(payment: Payment): "resolve" | "give-back" | "nothing" {
  switch (payment.status) {
    case "PENDING":
      return "resolve";
    case "CAPTURED":
      return "give-back";
    case "DECLINED":
    case "FAILED":
    case "REFUNDED":
      return "nothing";
  }
}
