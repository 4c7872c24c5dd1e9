import { afterEach, expect, test, vi } from "vitest";
import { createCallerCheck, createCallerTokens } from "./caller-token.ts";

const secret = "a secret of sixteen";
const toPayment = { caller: "order", audience: "payment" };

afterEach(() => {
  vi.useRealTimers();
});

test("a token tells who calls", () => {
  const token = createCallerTokens(toPayment, secret)();
  expect(createCallerCheck("payment", secret)(token)).toBe("order");
});

test("a token for one service is refused by every other", () => {
  const token = createCallerTokens(toPayment, secret)();
  const [, , expiry, signature] = token.split(".");
  const check = createCallerCheck("inventory", secret);
  expect(check(token)).toBeUndefined();
  expect(check(`order.inventory.${expiry}.${signature}`)).toBeUndefined();
});

test("a token of another secret, another name or another time is refused", () => {
  const token = createCallerTokens(toPayment, secret)();
  const check = createCallerCheck("payment", secret);
  const [, , expiry, signature] = token.split(".");
  expect(createCallerCheck("payment", "another secret 16")(token)).toBeUndefined();
  expect(check(`shipping.payment.${expiry}.${signature}`)).toBeUndefined();
  expect(check(`order.payment.${Number(expiry) + 1}.${signature}`)).toBeUndefined();
  expect(check("order")).toBeUndefined();
  expect(check("")).toBeUndefined();
});

test("a token expires, also one that was good before, and is renewed in time", () => {
  vi.useFakeTimers();
  const tokens = createCallerTokens(toPayment, secret);
  const check = createCallerCheck("payment", secret);
  const first = tokens();
  expect(check(first)).toBe("order");
  vi.advanceTimersByTime(200_000);
  const second = tokens();
  expect(second).not.toBe(first);
  vi.advanceTimersByTime(101_000);
  expect(check(first)).toBeUndefined();
  expect(check(second)).toBe("order");
});
