import { fromBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import type { BatchProcessPaymentsResponse_Result } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";
import type { ChargeResult, PaymentProvider } from "../src/index.ts";
import { eventually, ledgerOf, newCharge, processUntilKnown, startTestPayment } from "./support.ts";

it("answers every request alone, in order, duplicates included", async () => {
  await using payment = await startTestPayment({ PAYMENT_BATCH_PATIENCE_MS: "10000" });
  const charge = newCharge();
  const { results } = await payment.client.batchProcessPayments({
    requests: [
      charge,
      newCharge("tok_declined"),
      charge,
      { ...charge, userId: "u2" },
      newCharge("tok_error"),
    ],
  });
  expect(results.map(describeResult)).toEqual([
    "CAPTURED",
    "DECLINED",
    "CAPTURED",
    "PAYMENT_EXISTS",
    "FAILED",
  ]);
  expect(await ledgerOf(payment.sql, charge.orderId)).toEqual(["capture 1250"]);
});

it("does not let a slow item hold up the others: it goes on, and asking again joins it", async () => {
  const answered = Promise.withResolvers<ChargeResult>();
  const asked: string[] = [];
  const provider: PaymentProvider = {
    async charge({ chargeId, token }) {
      asked.push(chargeId);
      return token === "tok_late" ? answered.promise : { status: "captured", reference: "r1" };
    },
    refund: async () => ({ status: "closed" }),
    lookup: async () => undefined,
  };
  await using payment = await startTestPayment({ PROVIDER_TIMEOUT_MS: "60000" }, provider);
  const late = newCharge("tok_late");
  const { results } = await payment.client.batchProcessPayments({
    requests: [newCharge(), late, newCharge()],
  });
  expect(results.map(describeResult)).toEqual(["CAPTURED", "PAYMENT_OUTCOME_UNKNOWN", "CAPTURED"]);
  expect(results[1]?.result.value).toMatchObject({ code: Code.Unavailable });
  const again = await payment.client.batchProcessPayments({ requests: [late] });
  expect(again.results.map(describeResult)).toEqual(["PAYMENT_OUTCOME_UNKNOWN"]);

  answered.resolve({ status: "captured", reference: "r2" });
  const joined = await processUntilKnown(payment.client, late);
  expect(joined).toMatchObject({ status: PaymentStatus.CAPTURED, providerReference: "r2" });
  expect(asked.filter((chargeId) => chargeId === late.orderId)).toHaveLength(1);
});

it("settles a charge in the background whose caller is gone", async () => {
  await using payment = await startTestPayment({
    PROVIDER_SLOW_MS: "300",
    PAYMENT_BATCH_PATIENCE_MS: "1",
  });
  const slow = newCharge("tok_slow");
  await payment.client.batchProcessPayments({ requests: [slow] });
  await eventually(async () => {
    const { payment: answer } = await payment.client.getPayment({ orderId: slow.orderId });
    expect(answer?.status).toBe(PaymentStatus.CAPTURED);
  });
});

it("batches many concurrent calls of one client into few statements", async () => {
  await using payment = await startTestPayment({ PAYMENT_BATCH_PATIENCE_MS: "10000" });
  const charges = Array.from({ length: 200 }, () => newCharge());
  const answers = await Promise.all(charges.map((c) => payment.client.processPayment(c)));
  expect(answers.every((a) => a.payment?.status === PaymentStatus.CAPTURED)).toBe(true);
  // A row's xmin is the transaction that wrote it: rows written by one statement share it.
  const { rows } = await payment.sql.query<{ statements: number }>({
    text: "SELECT count(DISTINCT xmin::text)::int AS statements FROM payment_provider.ledger_entry",
  });
  expect(rows[0]?.statements).toBeLessThan(50);
});

function enumName(status: PaymentStatus): string | undefined {
  return Object.entries(PaymentStatus).find(([, value]) => value === status)?.[0];
}

function describeResult({ result }: BatchProcessPaymentsResponse_Result): string | undefined {
  if (result.case === "response") {
    const { payment } = result.value;
    return payment && enumName(payment.status);
  }
  const detail = result.value?.details[0];
  return detail && fromBinary(ProblemSchema, detail.value).code;
}

it("settles every item though a provider answers what no column can hold", async () => {
  const provider: PaymentProvider = {
    async charge({ chargeId, token }) {
      if (token === "odd decline") return { status: "declined", declineCode: "no\0way \u{d800}" };
      return { status: "captured", reference: token === "odd" ? "ref\0" : chargeId };
    },
    refund: () => Promise.reject(new Error("not asked for")),
    lookup: () => Promise.reject(new Error("not asked for")),
  };
  await using payment = await startTestPayment({}, provider);
  const requests = ["", "odd", "", "odd decline", ""].map(newCharge);
  const { results } = await payment.client.batchProcessPayments({ requests });
  expect(results.map(describeResult)).toEqual([
    "CAPTURED",
    "CAPTURED",
    "CAPTURED",
    "DECLINED",
    "CAPTURED",
  ]);
});
