import { afterEach, expect, test, vi } from "vitest";
import { createCallerCheck, createCallerTokens } from "./caller-token.ts";

const secret = "a secret of sixteen";

afterEach(() => {
  vi.useRealTimers();
});

test("a token tells who calls", () => {
  const token = createCallerTokens("order", secret)();
  expect(createCallerCheck(secret)(token)).toBe("order");
});

test("a token of another secret, another name or another time is refused", () => {
  const token = createCallerTokens("order", secret)();
  const check = createCallerCheck(secret);
  const [, expiry, signature] = token.split(".");
  expect(createCallerCheck("another secret 16")(token)).toBeUndefined();
  expect(check(`shipping.${expiry}.${signature}`)).toBeUndefined();
  expect(check(`order.${Number(expiry) + 1}.${signature}`)).toBeUndefined();
  expect(check("order")).toBeUndefined();
  expect(check("")).toBeUndefined();
});

test("a token expires, also one that was good before, and is renewed in time", () => {
  vi.useFakeTimers();
  const tokens = createCallerTokens("order", secret);
  const check = createCallerCheck(secret);
  const first = tokens();
  expect(check(first)).toBe("order");
  vi.advanceTimersByTime(200_000);
  const second = tokens();
  expect(second).not.toBe(first);
  vi.advanceTimersByTime(101_000);
  expect(check(first)).toBeUndefined();
  expect(check(second)).toBe("order");
});
