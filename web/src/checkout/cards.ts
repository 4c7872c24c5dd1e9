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
  { token: "tok_visa", name: "Visa", effect: "Is charged at once." },
  { token: "tok_slow", name: "Slow bank", effect: "Is charged, after a moment." },
  { token: "tok_declined", name: "Declined card", effect: "Is refused; nothing is charged." },
  {
    token: "tok_insufficient_funds",
    name: "Empty account",
    effect: "Is refused for want of money; nothing is charged.",
  },
  {
    token: "tok_timeout",
    name: "Lost answer",
    effect:
      "Is charged, but the bank’s answer gets lost. The order stays open until the shop has found out; you pay once.",
  },
  {
    token: "tok_error",
    name: "Bank fault",
    effect: "The bank fails before it charges; nothing is charged.",
  },
];
