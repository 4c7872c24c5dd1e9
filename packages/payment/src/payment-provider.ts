/** An amount in the smallest unit of its currency; never negative. */
export interface Money {
  /** ISO 4217: "USD". */
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

/** The provider's answer to a charge. All three are final: a repeated request gets the same. */
export type ChargeResult =
  /** The money was taken, once. */
  | { readonly status: "captured"; readonly reference: string }
  /** The payer's side refused; nothing was taken. */
  | { readonly status: "declined"; readonly declineCode: string }
  /** The provider broke down, or the charge was closed, and it is *certain* that nothing was taken. */
  | { readonly status: "failed"; readonly declineCode: string };

/** What a provider said about a refund. Both are final. */
export type RefundResult =
  /** The capture was given back in full; `reference` is the one of the capture. */
  | { readonly status: "refunded"; readonly reference: string }
  /** There was no capture, and from now on there will be none: a late `charge` with this id takes nothing. */
  | { readonly status: "closed" };

/**
 * A payment provider. To use a real one, implement this interface with its API and pass it to `startPayment`.
 * Requirements:
 *
 * - `chargeId` is the provider's idempotency key. It is the order id, the same in every repetition with the same
 *   amount and token, from any process, for ever. However often and however concurrently it is charged, money moves
 *   at most once. Where a provider forgets its keys after a time, look the charge up before charging.
 * - An answer is *certain*. Anything uncertain (a lost connection, a time-out, a 5xx) must reject: the service
 *   then leaves the payment PENDING and asks again later. Do not turn a time-out into "failed".
 * - `signal` aborts at the service's time-out or shutdown. Reject soon after; what the provider does meanwhile is
 *   its business, the service asks again with the same id.
 * - Do not retry inside: the caller of the service does, and it knows its own deadline.
 * - An amount of 0 is passed on like any other. A provider that refuses it has to answer it here, as captured.
 * - Calls come concurrently and are not ordered.
 */
export interface PaymentProvider {
  /** Takes money, at most once per `chargeId`. */
  charge(request: {
    readonly chargeId: string;
    readonly amount: Money;
    /** The provider's token for the means of payment; empty means its default. */
    readonly token: string;
    readonly signal: AbortSignal;
  }): Promise<ChargeResult>;

  /**
   * Gives a capture back in full, at most once per `chargeId`; a repetition answers as the first time. A charge id
   * without a capture is closed for good, atomically: of a `charge` and a `refund` that race, the later one obeys.
   */
  refund(request: {
    readonly chargeId: string;
    /** For the provider's books. */
    readonly reason: string;
    readonly signal: AbortSignal;
  }): Promise<RefundResult>;

  /**
   * Deletes charges whose orders are deleted after their retention. For a provider whose
   * books are ours; one that keeps its own leaves it out. Idempotent.
   */
  forget?(chargeIds: readonly string[]): Promise<void>;

  /** What became of a charge, without changing anything; undefined where the provider has no record of it. */
  lookup(request: {
    readonly chargeId: string;
    readonly signal: AbortSignal;
  }): Promise<ChargeResult | undefined>;
}
