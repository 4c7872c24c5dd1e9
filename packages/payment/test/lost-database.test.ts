import { Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { problemOf } from "@smartcart/mesh";
import { parseConfig, silentLogger } from "@smartcart/runtime";
import { describeLostDatabase } from "@smartcart/testkit/suites";
import { paymentConfig, startPayment } from "../src/index.ts";
import { createTestClient, newCharge } from "./support.ts";

const config = parseConfig({ PAYMENT_PORT: "0" }, paymentConfig);
let charge = newCharge();

describeLostDatabase({
  start: (databaseUrl) => startPayment({ config, databaseUrl, log: silentLogger }),
  async call(url) {
    using client = createTestClient(url);
    const { payment } = await client.processPayment(charge);
    expect(payment?.status).toBe(PaymentStatus.CAPTURED);
    // A charge that is made would be answered from memory.
    charge = newCharge();
  },
  expectUnavailable(error) {
    expect(ConnectError.from(error).code).toBe(Code.Unavailable);
    expect(problemOf(error)).toMatchObject({ code: "PAYMENT_UNAVAILABLE", retryAfterMs: 1000 });
  },
});
