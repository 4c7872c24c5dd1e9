/** A means of payment that the simulated provider understands. No real card number exists in this shop. */
export interface Card {
  /** What is sent as `paymentToken`. */
  readonly token: string;
  readonly name: string;
  /** What will happen, for people who want to see it happen. */
  readonly effect: string;
}

/** The first one is chosen at the start. */
export const cards: readonly [Card, ...Card[]] = [
  { token: "tok_visa", name: "Visa", effect: "Charged immediately." },
  { token: "tok_slow", name: "Slow bank", effect: "Charged after a delay." },
  { token: "tok_declined", name: "Declined card", effect: "Declined: not charged." },
  {
    token: "tok_insufficient_funds",
    name: "Empty account",
    effect: "Insufficient funds: not charged.",
  },
  {
    token: "tok_timeout",
    name: "Lost response",
    effect: "Charged once; the bank's answer comes late.",
  },
  { token: "tok_error", name: "Bank error", effect: "Error at the bank: not charged." },
];
