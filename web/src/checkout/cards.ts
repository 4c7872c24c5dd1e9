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
  { token: "tok_declined", name: "Declined card", effect: "Declined; nothing is charged." },
  {
    token: "tok_insufficient_funds",
    name: "Empty account",
    effect: "Declined for insufficient funds; nothing is charged.",
  },
  {
    token: "tok_timeout",
    name: "Lost response",
    effect:
      "Charged, but the response of the bank is lost. The order stays pending until the shop knows the outcome; you pay once.",
  },
  {
    token: "tok_error",
    name: "Bank error",
    effect: "The bank fails before it charges; nothing is charged.",
  },
];
