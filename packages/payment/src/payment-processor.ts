import { detached } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createCoalescer } from "@smartcart/store";
import { ledgerMismatch, outcomeUnknown, paymentExists, paymentNotFound } from "./errors.ts";
import type { Payment, Settlement } from "./payment.ts";
import { closedCode, isRepetition, refundStepOf, settlementOf } from "./payment.ts";
import type { PaymentProvider } from "./payment-provider.ts";
import { createProviderCalls, within } from "./provider-calls.ts";
import type { PaymentRequest } from "./store.ts";
import * as store from "./store.ts";

/** Takes and gives back money. Idempotent by order, and safe with several processes on one database. */
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
  /** Gives the money back, or sees to it that none will be taken. Rejects with PAYMENT_OUTCOME_UNKNOWN. */
  refund(orderId: string, reason: string): Promise<Payment>;
  /** The payment of an order. Rejects with PAYMENT_NOT_FOUND. */
  find(orderId: string): Promise<Payment>;
  /** Deletes the payments of these orders, and what the provider keeps of them for us. One that is PENDING stays. */
  delete(orderIds: readonly string[]): Promise<void>;
}

export interface PaymentProcessorOptions {
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

/** Payments folded into one statement at most, and statements under way at once. */
const folding = { maxItems: 256, maxConcurrent: 2 };

/** Creates the processor over a database and a provider. Disposing gives up on charges under way; they stay PENDING. */
export function createPaymentProcessor(o: PaymentProcessorOptions): PaymentProcessor {
  const { database, provider, log } = o;
  const calls = createProviderCalls(o.providerTimeoutMs);
  /** The charges that this process has under way, by order. */
  const underWay = new Map<string, Promise<Payment>>();

  const open = createCoalescer<PaymentRequest, Payment>({
    ...folding,
    name: "payment.open",
    run: async (requests) => pick(await store.openPayments(database, requests), requests),
  });
  const settle = createCoalescer<Settlement, Payment>({
    ...folding,
    name: "payment.settle",
    run: async (settlements) =>
      pick(await store.settlePayments(database, settlements), settlements),
  });

  /** Calls the provider outside of any transaction; whatever it throws leaves the outcome unknown. */
  async function ask<T>(orderId: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await calls.run(call);
    } catch (error) {
      log.warn("payment.outcome_unknown", { orderId, error });
      o.onOutcome?.("UNKNOWN");
      throw outcomeUnknown(orderId, retrySilentMs, error);
    }
  }

  async function charge({ orderId, charge, paymentToken }: Payment): Promise<Payment> {
    if (!charge) throw new Error(`payment "${orderId}" is pending without an amount`);
    const result = await ask(orderId, (signal) =>
      provider.charge({
        chargeId: orderId,
        amount: charge.amount,
        token: paymentToken ?? "",
        signal,
      }),
    );
    const settled = await settle(settlementOf(orderId, result));
    o.onOutcome?.(settled.status);
    return settled;
  }

  /** Charges, or joins the charge of the same order that is under way. */
  function join(payment: Payment): Promise<Payment> {
    const { orderId } = payment;
    const known = underWay.get(orderId);
    if (known) return known;
    // Detached: it goes on when the caller hangs up, and others may join it.
    const started = detached(() => charge(payment)).finally(() => underWay.delete(orderId));
    // No caller may be waiting when it fails; the failure is logged and the row is still PENDING.
    started.catch(() => undefined);
    underWay.set(orderId, started);
    return started;
  }

  /** Finds out what became of a PENDING payment; where the provider knows nothing of it, sees to it that it stays so. */
  async function resolve(payment: Payment, reason: string): Promise<Payment> {
    const { orderId } = payment;
    const request = { chargeId: orderId, reason };
    const found = await ask(orderId, (signal) => provider.lookup({ chargeId: orderId, signal }));
    if (found) return settle(settlementOf(orderId, found));
    const refund = await ask(orderId, (signal) => provider.refund({ ...request, signal }));
    // A charge may have slipped in between the two questions: then the refund gave it back.
    return settle(
      settlementOf(
        orderId,
        refund.status === "refunded"
          ? { status: "captured", reference: refund.reference }
          : { status: "failed", declineCode: closedCode },
      ),
    );
  }

  async function giveBack(orderId: string, reason: string): Promise<Payment> {
    const request = { chargeId: orderId, reason };
    const refund = await ask(orderId, (signal) => provider.refund({ ...request, signal }));
    if (refund.status === "closed") {
      log.error("payment.ledger_mismatch", { orderId });
      throw ledgerMismatch(orderId);
    }
    await store.markRefunded(database, orderId, reason);
    o.onOutcome?.("REFUNDED");
    return find(orderId);
  }

  async function find(orderId: string): Promise<Payment> {
    const payment = (await store.findPayments(database, [orderId])).get(orderId);
    if (!payment) throw paymentNotFound(orderId);
    return payment;
  }

  return {
    async process(request, patienceMs) {
      const { orderId } = request;
      const payment = await open(request);
      if (!isRepetition(payment, request)) throw paymentExists(orderId);
      if (payment.status !== "PENDING") return payment;
      const settled = join(payment);
      if (patienceMs === undefined) return settled;
      return within(settled, patienceMs, () => outcomeUnknown(orderId, retryUnderWayMs));
    },

    resume: join,

    async refund(orderId, reason) {
      await store.closeUnknownPayment(database, orderId, reason);
      let payment = await find(orderId);
      if (refundStepOf(payment) === "resolve") payment = await resolve(payment, reason);
      if (refundStepOf(payment) === "give-back") payment = await giveBack(orderId, reason);
      return payment;
    },

    find,

    async delete(orderIds) {
      const deleted = await store.deletePayments(database, orderIds);
      await provider.forget?.(deleted);
    },

    async [Symbol.asyncDispose]() {
      await calls[Symbol.asyncDispose]();
      await Promise.allSettled(underWay.values());
    },
  };
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
