import { afterAll, beforeAll } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { describeForeignClients } from "@smartcart/testkit/suites";
import type { TestPayment } from "./support.ts";
import { newCharge, startTestPayment } from "./support.ts";

let payment: TestPayment;
beforeAll(async () => {
  payment = await startTestPayment();
});
afterAll(() => payment[Symbol.asyncDispose]());

const declined = {
  amount: { currencyCode: "USD" },
  declineCode: "card_declined",
};

describeForeignClients({
  method: PaymentService.method.processPayment,
  url: () => payment.url,
  request: () => newCharge("tok_declined"),
  json: { payment: { ...declined, status: "PAYMENT_STATUS_DECLINED" } },
  message: { payment: { ...declined, status: PaymentStatus.DECLINED } },
});
