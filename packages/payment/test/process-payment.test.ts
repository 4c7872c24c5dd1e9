import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { problemOf } from "@smartcart/mesh";
import { errorOf } from "@smartcart/testkit";
import type { TestPayment } from "./support.ts";
import { ledgerOf, newCharge, processUntilKnown, startTestPayment } from "./support.ts";

let payment: TestPayment;
beforeAll(async () => {
  payment = await startTestPayment({ PROVIDER_TIMEOUT_MS: "1000", PROVIDER_SLOW_MS: "100" });
});
afterAll(() => payment[Symbol.asyncDispose]());

describe("each token does what it says", () => {
  it.each(["", "tok_visa", "tok_slow"])("%s is captured", async (token) => {
    const charge = newCharge(token);
    const { payment: answer } = await payment.client.processPayment(charge);
    expect(answer).toMatchObject({
      orderId: charge.orderId,
      userId: "u1",
      amount: { currencyCode: "USD", minorUnits: 1250n },
      status: PaymentStatus.CAPTURED,
      declineCode: "",
    });
    expect(answer?.providerReference).not.toBe("");
    expect(await ledgerOf(payment.sql, charge.orderId)).toEqual(["capture 1250"]);
  });

  it.each([
    ["tok_declined", PaymentStatus.DECLINED, "card_declined"],
    ["tok_insufficient_funds", PaymentStatus.DECLINED, "insufficient_funds"],
    ["tok_error", PaymentStatus.FAILED, "provider_error"],
    ["tok_unheard_of", PaymentStatus.DECLINED, "invalid_token"],
    ["constructor", PaymentStatus.DECLINED, "invalid_token"],
  ])("%s is refused, every time, and nothing is charged", async (token, status, declineCode) => {
    const charge = newCharge(token);
    for (let call = 0; call < 2; call++) {
      const { payment: answer } = await payment.client.processPayment(charge);
      expect(answer).toMatchObject({ status, declineCode, providerReference: "" });
    }
    expect(await ledgerOf(payment.sql, charge.orderId)).toEqual([]);
  });

  it("tok_timeout is charged but its answer lost; asking again answers captured, charged once", async () => {
    const charge = newCharge("tok_timeout");
    const error = await errorOf(payment.client.processPayment(charge));
    expect(ConnectError.from(error).code).toBe(Code.Unavailable);
    expect(problemOf(error)?.code).toBe("PAYMENT_OUTCOME_UNKNOWN");
    expect(problemOf(error)?.retryAfterMs).toBeGreaterThan(0);
    expect((error as Error).message).toMatch(/Retry with the same order id/);
    const { orderId } = charge;
    const pending = await payment.client.getPayment({ orderId });
    expect(pending.payment?.status).toBe(PaymentStatus.PENDING);

    const again = await processUntilKnown(payment.client, charge);
    expect(again?.status).toBe(PaymentStatus.CAPTURED);
    expect(await ledgerOf(payment.sql, orderId)).toEqual(["capture 1250"]);
  });
});

describe("idempotence", () => {
  it("answers a repetition with the payment as it stands", async () => {
    const charge = newCharge();
    const first = await payment.client.processPayment(charge);
    const second = await payment.client.processPayment(charge);
    expect(second).toEqual(first);
    expect(await ledgerOf(payment.sql, charge.orderId)).toHaveLength(1);
  });

  it.each([
    ["amount", { amount: { currencyCode: "USD", minorUnits: 1n } }],
    ["currency", { amount: { currencyCode: "EUR", minorUnits: 1250n } }],
    ["user", { userId: "u2" }],
  ])("refuses another %s for the same order", async (_, change) => {
    const charge = newCharge();
    await payment.client.processPayment(charge);
    const error = await errorOf(payment.client.processPayment({ ...charge, ...change }));
    expect(ConnectError.from(error).code).toBe(Code.AlreadyExists);
    expect(problemOf(error)?.code).toBe("PAYMENT_EXISTS");
    expect((error as Error).message).toContain(charge.orderId);
  });

  it.each(["tok_visa", "tok_slow", "tok_timeout"])(
    "charges once where many calls of two processes come at once (%s)",
    async (token) => {
      const replica = await payment.addReplica();
      const charge = newCharge(token);
      const clients = [payment.client, replica.client, payment.client, replica.client];
      await Promise.allSettled(clients.map((client) => client.processPayment(charge)));
      const answer = await processUntilKnown(payment.client, charge);
      expect(answer?.status).toBe(PaymentStatus.CAPTURED);
      expect(await ledgerOf(payment.sql, charge.orderId)).toEqual(["capture 1250"]);
    },
  );
});

describe("money", () => {
  it("is exact beyond what a double holds", async () => {
    const minorUnits = 2n ** 53n + 1n;
    const charge = { ...newCharge(), amount: { currencyCode: "USD", minorUnits } };
    const { payment: answer } = await payment.client.processPayment(charge);
    expect(answer?.amount?.minorUnits).toBe(minorUnits);
    expect(await ledgerOf(payment.sql, charge.orderId)).toEqual([`capture ${minorUnits}`]);
  });

  it("may be 0: a payment like any other", async () => {
    const charge = { ...newCharge(), amount: { currencyCode: "USD", minorUnits: 0n } };
    const { payment: answer } = await payment.client.processPayment(charge);
    expect(answer?.status).toBe(PaymentStatus.CAPTURED);
    expect(await ledgerOf(payment.sql, charge.orderId)).toEqual(["capture 0"]);
  });

  it("is never negative", async () => {
    const charge = { ...newCharge(), amount: { currencyCode: "USD", minorUnits: -1n } };
    const error = await errorOf(payment.client.processPayment(charge));
    expect(ConnectError.from(error).code).toBe(Code.InvalidArgument);
  });
});

it("forgets the token once the outcome is known", async () => {
  const charge = newCharge("tok_visa");
  await payment.client.processPayment(charge);
  const { rows } = await payment.sql.query({
    text: "SELECT payment_token FROM payment WHERE order_id = $1",
    values: [charge.orderId],
  });
  expect(rows).toEqual([{ payment_token: null }]);
});

it("answers NOT_FOUND for an order without a payment", async () => {
  const error = await errorOf(payment.client.getPayment({ orderId: "ORD-unknown" }));
  expect(ConnectError.from(error).code).toBe(Code.NotFound);
  expect(problemOf(error)?.code).toBe("PAYMENT_NOT_FOUND");
  expect((error as Error).message).toContain("ORD-unknown");
});
