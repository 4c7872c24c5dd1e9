import { describe, expect, it } from "vitest";
import type { Charge, Payment, PaymentStatus } from "./payment.ts";
import { isRepetition, refundStepOf, settlementOf } from "./payment.ts";

const charge: Charge = { userId: "u1", amount: { currencyCode: "USD", minorUnits: 1250n } };

describe("isRepetition", () => {
  it.each([
    ["the same", charge, true],
    ["another user", { ...charge, userId: "u2" }, false],
    ["another amount", { ...charge, amount: { currencyCode: "USD", minorUnits: 1251n } }, false],
    ["another currency", { ...charge, amount: { currencyCode: "EUR", minorUnits: 1250n } }, false],
  ])("compares %s", (_, other, expected) => {
    expect(isRepetition(payment("PENDING"), other)).toBe(expected);
  });

  it("lets a closed payment answer whatever is asked", () => {
    expect(isRepetition({ ...payment("FAILED"), charge: undefined }, charge)).toBe(true);
  });
});

describe("settlementOf", () => {
  it("takes the provider's word", () => {
    expect(settlementOf("o1", { status: "captured", reference: "r" })).toEqual({
      orderId: "o1",
      status: "CAPTURED",
      declineCode: "",
      providerReference: "r",
    });
    expect(settlementOf("o1", { status: "declined", declineCode: "card_declined" })).toMatchObject({
      status: "DECLINED",
      declineCode: "card_declined",
    });
  });

  it("gives a refusal without a code one", () => {
    expect(settlementOf("o1", { status: "failed", declineCode: "" })).toMatchObject({
      status: "FAILED",
      declineCode: "unspecified",
    });
  });
});

it.each<[PaymentStatus, string]>([
  ["PENDING", "resolve"],
  ["CAPTURED", "give-back"],
  ["DECLINED", "nothing"],
  ["FAILED", "nothing"],
  ["REFUNDED", "nothing"],
])("a refund of a %s payment starts with: %s", (status, step) => {
  expect(refundStepOf(payment(status))).toBe(step);
});

function payment(status: PaymentStatus): Payment {
  return {
    orderId: "o1",
    charge,
    status,
    declineCode: "",
    providerReference: "",
    paymentToken: undefined,
    createdAt: new Date(0),
    updatedAt: new Date(0),
  };
}
