import { detached } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { withTimeout } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createCoalescer } from "@smartcart/store";
import { ledgerMismatch, outcomeUnknown, paymentExists, paymentNotFound } from "./errors.ts";
import type { Payment, Settlement } from "./payment.ts";
import { closedCode, isRepetition, refundStepOf, settlementOf } from "./payment.ts";
import type { PaymentProvider, RefundResult } from "./payment-provider.ts";
import type { ProviderCalls } from "./provider-calls.ts";
import { createProviderCalls } from "./provider-calls.ts";
import type { PaymentRequest } from "./store.ts";
import * as store from "./store.ts";

/** Charges and refunds orders. Idempotent by order, and safe with several processes on one database. */
export interface PaymentProcessor extends AsyncDisposable {
  /**
   * Charges an order at most once and answers its settled payment. Rejects with PAYMENT_EXISTS where the order stands
   * for another amount or user, and with PAYMENT_OUTCOME_UNKNOWN where the provider has not answered in time:
   * the payment then stays PENDING, and a repetition asks again, or joins the charge where it is still under way.
   *
   * `patienceMs` bounds the wait for the provider below its own time-out; the charge itself goes on.
   */
  process(request: PaymentRequest, patienceMs?: number): Promise<Payment>;
  /** Charges a PENDING payment again, or joins the charge that is under way. Rejects with PAYMENT_OUTCOME_UNKNOWN. */
  resume(payment: Payment): Promise<Payment>;
  /** Refunds the payment, or closes it so that it is never charged. Rejects with PAYMENT_OUTCOME_UNKNOWN. */
  refund(orderId: string, reason: string): Promise<Payment>;
  /** The payment of an order. Rejects with PAYMENT_NOT_FOUND. */
  find(orderId: string): Promise<Payment>;
  /** Deletes the payments of these orders, and what the provider keeps of them for us. One that is PENDING stays. */
  delete(orderIds: readonly string[]): Promise<void>;
  /** Clears the user of settled payments; answers of how many. Idempotent. */
  erase(orderIds: readonly string[]): Promise<number>;
}

interface PaymentProcessorOptions {
  readonly database: Database;
  readonly provider: PaymentProvider;
  /** Longest time one call to the provider may take, in milliseconds. */
  readonly providerTimeoutMs: number;
  readonly log: Logger;
  /** Called with where a charge came to: a payment status, or "UNKNOWN". */
  readonly onOutcome?: (outcome: string) => void;
}

/** When to ask again for an unknown outcome: soon where the charge goes on, later where the provider is silent. */
const retryUnderWayMs = 250;
const retrySilentMs = 1000;

/** Most payments in one statement, and most statements at once. */
const batching = { maxItems: 256, maxConcurrent: 2 };

/** Creates the processor over a database and a provider. Disposing gives up on charges under way; they stay PENDING. */
export function createPaymentProcessor(o: PaymentProcessorOptions): PaymentProcessor {
  return new Processor(o);
}

class Processor implements PaymentProcessor {
  readonly #o: PaymentProcessorOptions;
  readonly #calls: ProviderCalls;
  /** The charges that this process has under way, by order. */
  readonly #underWay = new Map<string, Promise<Payment>>();
  readonly #open: (request: PaymentRequest) => Promise<Payment>;
  readonly #settle: (settlement: Settlement) => Promise<Payment>;

  constructor(o: PaymentProcessorOptions) {
    const { database } = o;
    this.#o = o;
    this.#calls = createProviderCalls(o.providerTimeoutMs);
    this.#open = createCoalescer<PaymentRequest, Payment>({
      ...batching,
      name: "payment.open",
      run: async (requests) => pick(await store.openPayments(database, requests), requests),
    });
    this.#settle = createCoalescer<Settlement, Payment>({
      ...batching,
      name: "payment.settle",
      run: async (settlements) =>
        pick(await store.settlePayments(database, settlements), settlements),
    });
  }

  async process(request: PaymentRequest, patienceMs?: number): Promise<Payment> {
    const { orderId } = request;
    const payment = await this.#open(request);
    if (!isRepetition(payment, request)) throw paymentExists(orderId);
    if (payment.status !== "PENDING") return payment;
    const settled = this.resume(payment);
    if (patienceMs === undefined) return settled;
    return withTimeout(settled, patienceMs, () => {
      throw outcomeUnknown(orderId, retryUnderWayMs);
    });
  }

  resume(payment: Payment): Promise<Payment> {
    const { orderId } = payment;
    const known = this.#underWay.get(orderId);
    if (known) return known;
    // Detached: it goes on when the caller hangs up, and others may join it.
    const started = detached(() => this.#charge(payment)).finally(() =>
      this.#underWay.delete(orderId),
    );
    // When it fails, its caller may be gone: the failure is in the log, and the row is still PENDING.
    started.catch(() => undefined);
    this.#underWay.set(orderId, started);
    return started;
  }

  async refund(orderId: string, reason: string): Promise<Payment> {
    await store.closeUnknownPayment(this.#o.database, orderId, reason);
    let payment = await this.find(orderId);
    if (refundStepOf(payment) === "resolve") payment = await this.#resolve(payment, reason);
    if (refundStepOf(payment) === "give-back") payment = await this.#giveBack(orderId, reason);
    return payment;
  }

  async find(orderId: string): Promise<Payment> {
    const payment = (await store.findPayments(this.#o.database, [orderId])).get(orderId);
    if (!payment) throw paymentNotFound(orderId);
    return payment;
  }

  async delete(orderIds: readonly string[]): Promise<void> {
    const deleted = await store.deletePayments(this.#o.database, orderIds);
    await this.#o.provider.forget?.(deleted);
  }

  erase(orderIds: readonly string[]): Promise<number> {
    return store.erasePayments(this.#o.database, orderIds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#calls[Symbol.asyncDispose]();
    await Promise.allSettled(this.#underWay.values());
  }

  async #charge({ orderId, charge, paymentToken }: Payment): Promise<Payment> {
    if (!charge) throw new Error(`payment "${orderId}" is pending without an amount`);
    const result = await this.#ask(orderId, (signal) =>
      this.#o.provider.charge({
        chargeId: orderId,
        amount: charge.amount,
        token: paymentToken ?? "",
        signal,
      }),
    );
    const settled = await this.#settle(settlementOf(orderId, result));
    this.#decided(settled);
    return settled;
  }

  /** Asks the provider about a PENDING payment, and closes the payment where the provider has no record of the charge. */
  async #resolve({ orderId }: Payment, reason: string): Promise<Payment> {
    const found = await this.#ask(orderId, (signal) =>
      this.#o.provider.lookup({ chargeId: orderId, signal }),
    );
    if (found) return this.#settle(settlementOf(orderId, found));
    const refund = await this.#askRefund(orderId, reason);
    // A charge may have slipped in between the two questions: then the refund gave it back.
    return this.#settle(
      settlementOf(
        orderId,
        refund.status === "refunded"
          ? { status: "captured", reference: refund.reference }
          : { status: "failed", declineCode: closedCode },
      ),
    );
  }

  async #giveBack(orderId: string, reason: string): Promise<Payment> {
    const refund = await this.#askRefund(orderId, reason);
    if (refund.status === "closed") {
      this.#o.log.error("payment.ledger_mismatch", { orderId });
      throw ledgerMismatch(orderId);
    }
    await store.markRefunded(this.#o.database, orderId, reason);
    const refunded = await this.find(orderId);
    this.#decided(refunded);
    return refunded;
  }

  /** One line per decision, for the story of the order. */
  #decided({ orderId, status }: Payment): void {
    this.#o.onOutcome?.(status);
    const event = `payment.${status.toLowerCase()}`;
    this.#o.log.info(event, { orderId, message: `the payment is ${status}` });
  }

  #askRefund(chargeId: string, reason: string): Promise<RefundResult> {
    return this.#ask(chargeId, (signal) => this.#o.provider.refund({ chargeId, reason, signal }));
  }

  /** Calls the provider outside of any transaction; whatever it throws leaves the outcome unknown. */
  async #ask<T>(orderId: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.#calls.run(call);
    } catch (error) {
      this.#o.log.warn("payment.outcome_unknown", { orderId, error });
      this.#o.onOutcome?.("UNKNOWN");
      throw outcomeUnknown(orderId, retrySilentMs, error);
    }
  }
}

/** The payment of each item, in the order of the items. */
function pick(
  payments: ReadonlyMap<string, Payment>,
  items: readonly { readonly orderId: string }[],
): (Payment | Error)[] {
  return items.map(
    ({ orderId }) =>
      payments.get(orderId) ?? new Error(`payment "${orderId}" vanished while it was written`),
  );
}
