import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { problemOf } from "@smartcart/mesh";
import { errorOf } from "@smartcart/testkit";
import type { PaymentProvider } from "../src/index.ts";
import type { TestPayment } from "./support.ts";
import { ledgerOf, newCharge, startTestPayment } from "./support.ts";

let payment: TestPayment;
beforeAll(async () => {
  payment = await startTestPayment({ PROVIDER_TIMEOUT_MS: "1000" });
});
afterAll(() => payment[Symbol.asyncDispose]());

it("gives a capture back in full, once, also where several ask at once", async () => {
  const charge = newCharge();
  await payment.client.processPayment(charge);
  const refund = { orderId: charge.orderId, reason: "out of stock" };
  const answers = await Promise.all([1, 2, 3].map(() => payment.client.refundPayment(refund)));
  answers.push(await payment.client.refundPayment(refund));
  for (const { payment: answer } of answers) {
    expect(answer?.status).toBe(PaymentStatus.REFUNDED);
  }
  expect(await ledgerOf(payment.sql, charge.orderId)).toEqual(["capture 1250", "refund 1250"]);
  const { payment: late } = await payment.client.processPayment(charge);
  expect(late?.status).toBe(PaymentStatus.REFUNDED);
});

it("says for good that a provider which knows no capture has none to give back", async () => {
  const provider: PaymentProvider = {
    charge: async () => ({ status: "captured", reference: "ref" }),
    refund: async () => ({ status: "closed" }),
    lookup: () => Promise.reject(new Error("not asked for")),
  };
  await using forgetful = await startTestPayment({}, provider);
  const charge = newCharge();
  await forgetful.client.processPayment(charge);
  const error = await errorOf(forgetful.client.refundPayment(charge));
  expect(ConnectError.from(error).code).toBe(Code.FailedPrecondition);
  expect(problemOf(error)).toMatchObject({ code: "PAYMENT_LEDGER_MISMATCH", retryAfterMs: 0 });
});

it("closes an unknown payment, so that a charge that arrives late takes nothing", async () => {
  const charge = newCharge();
  const { payment: closed } = await payment.client.refundPayment({ orderId: charge.orderId });
  expect(closed).toMatchObject({ status: PaymentStatus.FAILED, declineCode: "closed", userId: "" });
  expect(closed?.amount).toBeUndefined();
  const { payment: late } = await payment.client.processPayment(charge);
  expect(late).toMatchObject({ status: PaymentStatus.FAILED, declineCode: "closed" });
  expect(await ledgerOf(payment.sql, charge.orderId)).toEqual([]);
});

it.each([
  ["tok_declined", PaymentStatus.DECLINED],
  ["tok_error", PaymentStatus.FAILED],
])("leaves a refused one (%s) as it is", async (token, status) => {
  const charge = newCharge(token);
  await payment.client.processPayment(charge);
  const { payment: answer } = await payment.client.refundPayment({ orderId: charge.orderId });
  expect(answer?.status).toBe(status);
  expect(await ledgerOf(payment.sql, charge.orderId)).toEqual([]);
});

it("finds out about a PENDING one first: charged, so it is given back", async () => {
  const charge = newCharge("tok_timeout");
  await errorOf(payment.client.processPayment(charge));
  const { payment: answer } = await payment.client.refundPayment({ orderId: charge.orderId });
  expect(answer?.status).toBe(PaymentStatus.REFUNDED);
  expect(await ledgerOf(payment.sql, charge.orderId)).toEqual(["capture 1250", "refund 1250"]);
});

it("closes a PENDING one that the provider never heard of, on both sides", async () => {
  const charge = newCharge();
  // What a process leaves that dies between its row and its question.
  await payment.sql.query({
    text: `INSERT INTO payment (order_id, user_id, currency_code, amount_minor, payment_token, status)
      VALUES ($1, 'u1', 'USD', 1250, '', 'PENDING')`,
    values: [charge.orderId],
  });
  const { payment: answer } = await payment.client.refundPayment({ orderId: charge.orderId });
  expect(answer).toMatchObject({ status: PaymentStatus.FAILED, declineCode: "closed" });
  expect(await ledgerOf(payment.sql, charge.orderId)).toEqual(["void 0"]);
});

it("leaves nothing taken where a charge and a refund race", async () => {
  const replica = await payment.addReplica();
  for (let round = 0; round < 20; round++) {
    const charge = newCharge(round % 5 === 0 ? "tok_timeout" : "tok_visa");
    const { orderId } = charge;
    await Promise.allSettled([
      payment.client.processPayment(charge),
      replica.client.refundPayment({ orderId }),
    ]);
    const { payment: answer } = await replica.client.refundPayment({ orderId });
    const entries = await ledgerOf(payment.sql, orderId);
    if (answer?.status === PaymentStatus.REFUNDED) {
      expect(entries).toEqual(["capture 1250", "refund 1250"]);
    } else {
      expect(answer).toMatchObject({ status: PaymentStatus.FAILED, declineCode: "closed" });
      expect(entries.filter((entry) => entry !== "void 0")).toEqual([]);
    }
  }
});

it("says UNAVAILABLE where the provider is silent, and nothing changes", async () => {
  const silent = () => new Promise<never>(() => {});
  const provider: PaymentProvider = {
    charge: async () => ({ status: "captured", reference: "r1" }),
    refund: silent,
    lookup: silent,
  };
  await using other = await startTestPayment({ PROVIDER_TIMEOUT_MS: "50" }, provider);
  const charge = newCharge();
  await other.client.processPayment(charge);
  const error = await errorOf(other.client.refundPayment({ orderId: charge.orderId }));
  expect(ConnectError.from(error).code).toBe(Code.Unavailable);
  expect(problemOf(error)?.code).toBe("PAYMENT_OUTCOME_UNKNOWN");
  const { payment: answer } = await other.client.getPayment({ orderId: charge.orderId });
  expect(answer?.status).toBe(PaymentStatus.CAPTURED);
});

it("deletes what is settled of deleted orders, in the provider's books as well, and leaves what is pending", async () => {
  const [captured, refunded, pending] = [newCharge(), newCharge(), newCharge()];
  await payment.client.processPayment(captured);
  await payment.client.processPayment(refunded);
  await payment.client.refundPayment({ orderId: refunded.orderId });
  await payment.client.processPayment(pending);
  await payment.sql.query({
    text: "update payment.payment set status = 'PENDING', payment_token = '' where order_id = $1",
    values: [pending.orderId],
  });
  const orderIds = [captured, refunded, pending, newCharge()].map(({ orderId }) => orderId);
  await payment.client.batchDeletePayments({ orderIds });
  await payment.client.batchDeletePayments({ orderIds });
  const books = await Promise.all(orderIds.map((orderId) => ledgerOf(payment.sql, orderId)));
  expect(books).toEqual([[], [], ["capture 1250"], []]);
  const { rows } = await payment.sql.query({
    text: "select order_id from payment.payment where order_id = any($1)",
    values: [orderIds],
  });
  expect(rows).toEqual([{ order_id: pending.orderId }]);
});
