import type { ServiceImpl } from "@connectrpc/connect";
import type {
  PaymentService,
  ProcessPaymentRequest,
} from "@smartcart/gen/payment/v1/payment_service_pb";
import { ProcessPaymentRequestSchema } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { BatchErrors } from "@smartcart/mesh";
import { settleBatch } from "@smartcart/mesh";
import { toPaymentMessage, toPaymentRequest } from "./messages.ts";
import type { PaymentProcessor } from "./payment-processor.ts";

/** What the RPCs of the payment service work on. */
export interface PaymentDependencies extends BatchErrors {
  readonly processor: PaymentProcessor;
  /** How long a batch waits for the provider's answer to one of its items, in milliseconds. */
  readonly batchPatienceMs: number;
}

/** The RPCs of smartcart.payment.v1.PaymentService. */
export function createPaymentRoutes(
  dependencies: PaymentDependencies,
): ServiceImpl<typeof PaymentService> {
  const { processor } = dependencies;

  const process = async (request: ProcessPaymentRequest, patienceMs?: number) => ({
    payment: toPaymentMessage(await processor.process(toPaymentRequest(request), patienceMs)),
  });

  // The answers of a batch come together, so each waits for the slowest: one whose provider takes its time answers
  // PAYMENT_OUTCOME_UNKNOWN instead, its charge goes on, and asking again joins it.
  const processInBatch = (request: ProcessPaymentRequest) =>
    process(request, dependencies.batchPatienceMs);

  return {
    processPayment: (request) => process(request),
    batchProcessPayments: async ({ requests }) => ({
      results: await settleBatch(
        ProcessPaymentRequestSchema,
        requests,
        processInBatch,
        dependencies,
      ),
    }),
    getPayment: async ({ orderId }) => ({
      payment: toPaymentMessage(await processor.find(orderId)),
    }),
    refundPayment: async ({ orderId, reason }) => ({
      payment: toPaymentMessage(await processor.refund(orderId, reason)),
    }),
    batchErasePayments: async ({ orderIds }) => ({ erased: await processor.erase(orderIds) }),
    async batchDeletePayments({ orderIds }) {
      await processor.delete(orderIds);
      return {};
    },
  };
}
