import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type {
  BatchProcessPaymentsRequest,
  PaymentService,
  ProcessPaymentRequest,
} from "@smartcart/gen/payment/v1/payment_service_pb";
import { settleBatch } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { toServiceError } from "./errors.ts";
import { toPaymentMessage, toPaymentRequest } from "./messages.ts";
import type { PaymentProcessor } from "./payment-processor.ts";

/** What the RPCs of the payment service work on. */
export interface PaymentParts {
  readonly processor: PaymentProcessor;
  /** How long a batch waits for the provider's answer to one of its items, in milliseconds. */
  readonly batchPatienceMs: number;
  readonly log: Logger;
}

/** The RPCs of smartcart.payment.v1.PaymentService. */
export function createPaymentRoutes(parts: PaymentParts): ServiceImpl<typeof PaymentService> {
  const { processor, log } = parts;

  const process = async (request: ProcessPaymentRequest, patienceMs?: number) => ({
    payment: toPaymentMessage(await processor.process(toPaymentRequest(request), patienceMs)),
  });

  // The answers of a batch come together, so each waits for the slowest: one whose provider takes its time answers
  // PAYMENT_OUTCOME_UNKNOWN instead, its charge goes on, and asking again joins it.
  const processInBatch = guarded((request: ProcessPaymentRequest) =>
    process(request, parts.batchPatienceMs),
  );

  return {
    processPayment: guarded((request) => process(request)),
    batchProcessPayments: guarded(async ({ requests }: BatchProcessPaymentsRequest) => ({
      results: await settleBatch(requests, processInBatch, log),
    })),
    getPayment: guarded(async ({ orderId }) => ({
      payment: toPaymentMessage(await processor.find(orderId)),
    })),
    refundPayment: guarded(async ({ orderId, reason }) => ({
      payment: toPaymentMessage(await processor.refund(orderId, reason)),
    })),
    batchDeletePayments: guarded(async ({ orderIds }) => {
      await processor.delete(orderIds);
      return {};
    }),
  };
}

/**
 * Runs a method so that a lost database answers UNAVAILABLE. A call whose caller went away while it waited for its turn ends
 * before it asks the database for anything.
 */
function guarded<I, O>(method: (request: I) => Promise<O>) {
  return async (request: I, context?: Pick<HandlerContext, "signal">): Promise<O> => {
    context?.signal.throwIfAborted();
    try {
      return await method(request);
    } catch (error) {
      throw toServiceError(error);
    }
  };
}
