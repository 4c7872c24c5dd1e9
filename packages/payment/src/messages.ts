import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Payment as PaymentMessage } from "@smartcart/gen/payment/v1/payment_pb";
import { PaymentSchema, PaymentStatus as Status } from "@smartcart/gen/payment/v1/payment_pb";
import type { ProcessPaymentRequest } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ValidationError } from "@smartcart/mesh";
import type { Payment, PaymentStatus } from "./payment.ts";
import type { PaymentRequest } from "./store.ts";

const statuses: Readonly<Record<PaymentStatus, Status>> = {
  PENDING: Status.PENDING,
  CAPTURED: Status.CAPTURED,
  DECLINED: Status.DECLINED,
  FAILED: Status.FAILED,
  REFUNDED: Status.REFUNDED,
};

/** A payment as the contract shows it; without user and amount if no charge was ever requested. */
export function toPaymentMessage(payment: Payment): PaymentMessage {
  const { orderId, charge, status, declineCode, providerReference } = payment;
  return create(PaymentSchema, {
    orderId,
    ...charge,
    status: statuses[status],
    declineCode,
    providerReference,
    createdAt: timestampFromDate(payment.createdAt),
    updatedAt: timestampFromDate(payment.updatedAt),
  });
}

/** Reads a request; an amount of 0 is a payment like any other. */
export function toPaymentRequest(request: ProcessPaymentRequest): PaymentRequest {
  const { orderId, userId, amount, paymentToken } = request;
  if (!amount) throw new ValidationError([{ field: "amount", message: "is required" }]);
  const { currencyCode, minorUnits } = amount;
  return { orderId, userId, amount: { currencyCode, minorUnits }, paymentToken };
}
