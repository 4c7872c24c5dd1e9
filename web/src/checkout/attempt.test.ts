import { expect, test } from "vitest";
import { attemptFor, newIdempotencyKey, parseAttempt } from "./attempt.ts";

const unsettled = { key: "k1", body: '{"userId":"u1"}' };

test("the same order again is the same attempt", () => {
  expect(attemptFor(unsettled, unsettled.body, () => "k2")).toBe(unsettled);
});

test("another order is another attempt", () => {
  expect(attemptFor(unsettled, "{}", () => "k2")).toEqual({ key: "k2", body: "{}" });
  expect(attemptFor(undefined, "{}", () => "k2")).toEqual({ key: "k2", body: "{}" });
});

test("an attempt survives being stored", () => {
  expect(parseAttempt(JSON.stringify(unsettled))).toEqual(unsettled);
});

test.each([null, "", "null", "{}", "[]", '{"key":"k1"}', '{"key":"k1","body":"{"}'])(
  "%j is no attempt",
  (text) => {
    expect(parseAttempt(text)).toBeUndefined();
  },
);

test("keys are what the contract takes, and differ", () => {
  expect(newIdempotencyKey()).toMatch(/^[0-9a-f]{32}$/);
  expect(newIdempotencyKey()).not.toBe(newIdempotencyKey());
});
