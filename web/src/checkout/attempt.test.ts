import { expect, test } from "vitest";
import { isRepeatable, newIdempotencyKey, openAttempt, parseAttempt } from "./attempt.ts";

const open = { key: "k1", body: '{"userId":"u1"}', sentAtMs: 1_000 };
const settled = { key: "k1", outcome: { kind: "placed", orderId: "ORD-1" } };

test("an attempt survives being stored, open or settled", () => {
  expect(parseAttempt(JSON.stringify(open))).toEqual(open);
  expect(parseAttempt(JSON.stringify(settled))).toEqual(settled);
  expect(openAttempt(parseAttempt(JSON.stringify(open)))).toEqual(open);
  expect(openAttempt(parseAttempt(JSON.stringify(settled)))).toBeUndefined();
});

test.each([
  null,
  "",
  "null",
  "{}",
  "[]",
  '{"key":"k1","body":"{}"}',
  '{"key":"k1","body":"{","sentAtMs":1}',
  '{"key":"k1","outcome":{"kind":"placed"}}',
  '{"key":"k1","outcome":{"kind":"refused"}}',
])("%j is no attempt", (text) => {
  expect(parseAttempt(text)).toBeUndefined();
});

test("what the backend may have forgotten is not repeated, also where the clock was set back", () => {
  const hour = 3_600_000;
  expect(isRepeatable(open, open.sentAtMs + 11 * hour)).toBe(true);
  expect(isRepeatable(open, open.sentAtMs + 13 * hour)).toBe(false);
  expect(isRepeatable(open, open.sentAtMs - 13 * hour)).toBe(false);
});

test("keys are what the contract takes, and differ", () => {
  expect(newIdempotencyKey()).toMatch(/^[0-9a-f]{32}$/);
  expect(newIdempotencyKey()).not.toBe(newIdempotencyKey());
});
