import { describe, expect, test } from "vitest";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { parseProblem } from "../api/problem.ts";
import type { Answer } from "../api/rest.ts";
import type { OpenAttempt } from "./attempt.ts";
import { submitOrder } from "./submit-order.ts";

const attempt: OpenAttempt = { key: "k1", body: "{}", sentAtMs: 1 };
const placed: Answer<OrderJson> = { kind: "ok", status: 201, body: { orderId: "ORD-1" } };
const lost: Answer<OrderJson> = { kind: "unreachable" };
const refused = (
  status: number,
  code: string,
  retryAfter: string | null = null,
): Answer<OrderJson> => ({
  kind: "problem",
  problem: parseProblem(status, { code }, retryAfter),
});

/** Submits against a backend that gives these answers. */
async function submit(answers: readonly Answer<OrderJson>[], isRepeat = false) {
  const sent: OpenAttempt[] = [];
  const waitsMs: number[] = [];
  const outcome = await submitOrder(attempt, {
    isRepeat,
    async send(attempt) {
      sent.push(attempt);
      return answers[sent.length - 1] ?? placed;
    },
    async wait(ms) {
      waitsMs.push(ms);
    },
    backoffMs: (failures) => 100 * 2 ** failures,
    onOpen() {},
  });
  return { outcome, sent, waitsMs };
}

describe("submitOrder", () => {
  test("an answer ends it", async () => {
    const { outcome, sent } = await submit([placed]);
    expect(outcome).toEqual({ kind: "placed", orderId: "ORD-1" });
    expect(sent).toHaveLength(1);
  });

  test("a lost answer is asked for again with the same key and body, however often", async () => {
    const { outcome, sent, waitsMs } = await submit(Array(40).fill(lost));
    expect(outcome.kind).toBe("placed");
    expect(sent).toEqual(Array(41).fill(attempt));
    expect(waitsMs.slice(0, 3)).toEqual([100, 200, 400]);
  });

  test.each([
    [409, "IDEMPOTENCY_KEY_IN_USE"],
    [429, "TOO_MANY_REQUESTS"],
    [500, "INTERNAL"],
    [503, "UNAVAILABLE"],
  ])("%i %s is repeated when the backend says, within a minute", async (status, code) => {
    const answers = [refused(status, code, "2"), refused(status, code, "3600")];
    const { outcome, waitsMs } = await submit(answers);
    expect(outcome.kind).toBe("placed");
    expect(waitsMs).toEqual([2_000, 60_000]);
  });

  test.each([
    [400, "INVALID_ARGUMENT"],
    [401, "UNAUTHENTICATED"],
    [402, "PAYMENT_DECLINED"],
    [409, "OUT_OF_STOCK"],
    [422, "IDEMPOTENCY_KEY_REUSED"],
  ])("%i %s is a clear no", async (status, code) => {
    const { outcome, sent } = await submit([refused(status, code)]);
    expect(outcome).toMatchObject({ kind: "refused", problem: { status, code } });
    expect(sent).toHaveLength(1);
  });

  test.each([
    ["after a lost answer", [lost, refused(401, "UNAUTHENTICATED")], false],
    ["after a reload", [refused(401, "UNAUTHENTICATED")], true],
  ])("%s, 401 says nothing about the order", async (_, answers, isRepeat) => {
    const { outcome } = await submit(answers, isRepeat);
    expect(outcome.kind).toBe("signed-out");
  });
});
