/** Payments whose caller never came back. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { errorOf } from "@smartcart/testkit";
import type { PaymentProvider } from "../src/index.ts";
import type { TestPayment } from "./support.ts";
import { eventually, ledgerOf, newCharge, startTestPayment } from "./support.ts";

const soon = { PAYMENT_RESOLVE_AFTER_MS: "300", PROVIDER_TIMEOUT_MS: "500" };

async function expectStatus(payment: TestPayment, orderId: string, status: PaymentStatus) {
  await eventually(async () => {
    expect((await payment.client.getPayment({ orderId })).payment?.status).toBe(status);
  });
}

it("learns of a charge whose answer was lost, without another request", async () => {
  await using payment = await startTestPayment(soon);
  const charge = newCharge("tok_timeout");
  await errorOf(payment.client.processPayment(charge));
  await expectStatus(payment, charge.orderId, PaymentStatus.CAPTURED);
  expect(await ledgerOf(payment.sql, charge.orderId)).toEqual(["capture 1250"]);
});

it.each([
  ["tok_visa", PaymentStatus.CAPTURED, ["capture 1250"]],
  ["tok_declined", PaymentStatus.DECLINED, []],
] as const)(
  "settles what a process left that died before it asked (%s)",
  async (token, status, ledger) => {
    await using payment = await startTestPayment(soon);
    const { orderId } = newCharge();
    await payment.sql.query({
      text: `INSERT INTO payment (order_id, user_id, currency_code, amount_minor, payment_token, status, updated_at)
      VALUES ($1, 'u1', 'USD', 1250, $2, 'PENDING', now() - interval '1 hour')`,
      values: [orderId, token],
    });
    await expectStatus(payment, orderId, status);
    expect(await ledgerOf(payment.sql, orderId)).toEqual(ledger);
  },
);

it("charges once where two processes resolve and the caller asks as well", async () => {
  await using payment = await startTestPayment(soon);
  const replica = await payment.addReplica();
  const charges = Array.from({ length: 10 }, () => newCharge("tok_timeout"));
  await Promise.all(charges.map((charge) => errorOf(payment.client.processPayment(charge))));
  await Promise.allSettled(charges.map((charge) => replica.client.processPayment(charge)));
  for (const { orderId } of charges) {
    await expectStatus(payment, orderId, PaymentStatus.CAPTURED);
    expect(await ledgerOf(payment.sql, orderId)).toEqual(["capture 1250"]);
  }
});

it("keeps asking as long as the provider is silent, and leaves the payment PENDING meanwhile", async () => {
  let calls = 0;
  let isSilent = true;
  const provider = {
    async charge() {
      calls += 1;
      if (isSilent) throw new Error("no answer");
      return { status: "captured" as const, reference: "late_1" };
    },
    refund: () => Promise.reject(new Error("not asked for")),
    lookup: () => Promise.reject(new Error("not asked for")),
  };
  await using payment = await startTestPayment(soon, provider);
  const charge = newCharge();
  await errorOf(payment.client.processPayment(charge));
  await eventually(() => expect(calls).toBeGreaterThan(3));
  await expectStatus(payment, charge.orderId, PaymentStatus.PENDING);
  isSilent = false;
  await expectStatus(payment, charge.orderId, PaymentStatus.CAPTURED);
});

it("asks about the others while the provider is silent about many", async () => {
  const answers = Promise.withResolvers<void>();
  const asked = new Set<string>();
  const provider: PaymentProvider = {
    async charge({ chargeId }) {
      if (chargeId.startsWith("silent-")) await answers.promise;
      asked.add(chargeId);
      return { status: "captured", reference: "ref" };
    },
    refund: () => Promise.reject(new Error("not asked for")),
    lookup: () => Promise.reject(new Error("not asked for")),
  };
  const env = { ...soon, PROVIDER_TIMEOUT_MS: "60000" };
  await using payment = await startTestPayment(env, provider);
  await payment.sql.query({
    text: `INSERT INTO payment (order_id, user_id, currency_code, amount_minor, payment_token, status, asked_at)
      SELECT CASE WHEN n <= 90 THEN 'silent-' ELSE 'other-' END || n, 'u1', 'USD', 1, '', 'PENDING',
        now() - interval '1 day' + n * interval '1 second'
      FROM generate_series(1, 390) n`,
  });
  await eventually(() => expect(asked.size).toBe(300));
  answers.resolve();
});

it("changes nothing that customers see of a payment by asking about it", async () => {
  let calls = 0;
  const provider: PaymentProvider = {
    async charge() {
      calls += 1;
      throw new Error("no answer");
    },
    refund: () => Promise.reject(new Error("not asked for")),
    lookup: () => Promise.reject(new Error("not asked for")),
  };
  await using payment = await startTestPayment(soon, provider);
  const charge = newCharge();
  await errorOf(payment.client.processPayment(charge));
  await eventually(() => expect(calls).toBeGreaterThan(2));
  const { payment: pending } = await payment.client.getPayment(charge);
  expect(pending?.status).toBe(PaymentStatus.PENDING);
  expect(pending?.updatedAt && timestampMs(pending.updatedAt)).toBe(
    pending?.createdAt && timestampMs(pending.createdAt),
  );
});
