import { describe, expect, test } from "vitest";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { parseProblem } from "../api/problem.ts";
import type { Answer } from "../api/rest.ts";
import type { Attempt } from "./attempt.ts";
import { submitOrder } from "./submit-order.ts";

const attempt: Attempt = { key: "k1", body: "{}" };
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

/** Submits against a backend that gives these answers, the last one for ever. */
async function submit(...answers: Answer<OrderJson>[]) {
  const sent: Attempt[] = [];
  const waitsMs: number[] = [];
  const outcome = await submitOrder(attempt, {
    async send(attempt) {
      sent.push(attempt);
      return answers[Math.min(sent.length, answers.length) - 1] ?? lost;
    },
    async wait(ms) {
      waitsMs.push(ms);
    },
    backoffMs: (failures) => 100 * 2 ** failures,
    onRepeat() {},
  });
  return { outcome, sent, waitsMs };
}

describe("submitOrder", () => {
  test("an answer ends it", async () => {
    const { outcome, sent } = await submit(placed);
    expect(outcome).toEqual({ kind: "placed", order: { orderId: "ORD-1" } });
    expect(sent).toHaveLength(1);
  });

  test("a lost answer is asked for again with the same key and body", async () => {
    const { outcome, sent, waitsMs } = await submit(lost, lost, placed);
    expect(outcome.kind).toBe("placed");
    expect(sent).toEqual([attempt, attempt, attempt]);
    expect(waitsMs).toEqual([100, 200]);
  });

  test.each([
    [409, "IDEMPOTENCY_KEY_IN_USE"],
    [429, "TOO_MANY_REQUESTS"],
    [500, "INTERNAL"],
    [503, "UNAVAILABLE"],
  ])("%i %s is repeated when the backend says", async (status, code) => {
    const { outcome, waitsMs } = await submit(refused(status, code, "2"), placed);
    expect(outcome.kind).toBe("placed");
    expect(waitsMs).toEqual([2_000]);
  });

  test.each([
    [400, "INVALID_ARGUMENT"],
    [402, "PAYMENT_DECLINED"],
    [409, "OUT_OF_STOCK"],
    [422, "IDEMPOTENCY_KEY_REUSED"],
  ])("%i %s is a clear no", async (status, code) => {
    const { outcome, sent } = await submit(refused(status, code));
    expect(outcome).toMatchObject({ kind: "refused", problem: { status, code } });
    expect(sent).toHaveLength(1);
  });

  test("it gives up asking in the end, and does not know", async () => {
    const { outcome, sent } = await submit(lost);
    expect(outcome).toEqual({ kind: "unsettled", problem: undefined });
    expect(sent).toHaveLength(4);
  });

  test("a long pause is the visitor's to decide on", async () => {
    const { outcome, sent } = await submit(refused(503, "UNAVAILABLE", "60"));
    expect(outcome).toMatchObject({ kind: "unsettled", problem: { retryAfterMs: 60_000 } });
    expect(sent).toHaveLength(1);
  });
});
