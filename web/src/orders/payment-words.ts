/** Why a payment did not go through, in the customer's words. */
export interface PaymentWords {
  readonly title: string;
  /** What the customer can do about it. */
  readonly advice: string;
}

const otherCard = "Choose another card.";

/** By the provider's decline code; codes of more than one provider, since each has its own. */
const declines: Readonly<Record<string, PaymentWords>> = {
  card_declined: { title: "Card declined", advice: otherCard },
  insufficient_funds: { title: "Insufficient funds", advice: otherCard },
  expired_card: { title: "The card has expired", advice: otherCard },
  incorrect_number: { title: "Wrong card number", advice: "Check the number." },
  incorrect_cvc: { title: "Wrong security code", advice: "Check the code on the card." },
  invalid_token: { title: "The card is not accepted", advice: otherCard },
};

const declined: PaymentWords = { title: "Card declined", advice: otherCard };

/** Not the card's fault: codes with which a provider or a service fails rather than declines. */
const errors: ReadonlySet<string> = new Set([
  "provider_error",
  "processing_error",
  "try_again_later",
  "closed",
  "unspecified",
  "payment_exists",
]);

const failed: PaymentWords = {
  title: "Payment error",
  advice: "The error is at the bank, not with your card. Try again.",
};

/** An error is told apart from a decline. The code itself is for the shop, and is never shown. */
export function paymentWords(code: string | undefined): PaymentWords {
  if (code && errors.has(code)) return failed;
  return (code && Object.hasOwn(declines, code) && declines[code]) || declined;
}
