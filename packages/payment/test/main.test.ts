import { expect } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { describeServiceProcess } from "@smartcart/testkit/suites";
import { createTestClient, newCharge } from "./support.ts";

describeServiceProcess({
  main: "packages/payment/src/main.ts",
  portVariable: "PAYMENT_PORT",
  numberVariable: "PROVIDER_TIMEOUT_MS",
  async call(url) {
    using client = createTestClient(url);
    const { payment } = await client.processPayment(newCharge());
    expect(payment?.status).toBe(PaymentStatus.CAPTURED);
  },
});
