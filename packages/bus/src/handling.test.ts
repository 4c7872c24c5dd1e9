import { expect, it } from "vitest";
import { queueTypeOf } from "./contract.ts";
import { nextStep } from "./handling.ts";

const failed = { kind: "retry", reason: "no van" } as const;

it("climbs the ladder, stays on its last rung, and gives up after the last attempt", () => {
  const orders = queueTypeOf("orders");
  const steps = [1, 2, 3, 4, 5, 6].map((attempt) => nextStep(orders, attempt, failed));
  expect(steps.map((step) => (step.kind === "retry" ? step.delayMs : step.kind))).toEqual([
    1_000,
    10_000,
    60_000,
    60_000,
    60_000,
    "dead-letter",
  ]);
});

it("drops in a queue without dead letters", () => {
  const logs = queueTypeOf("logs");
  expect(nextStep(logs, 3, failed)).toEqual({ kind: "remove" });
  expect(nextStep(logs, 1, { kind: "dead-letter", reason: "unreadable" })).toEqual({
    kind: "remove",
  });
});

it("makes a failure a dead letter where the contract has no ladder", () => {
  const queue = { ...queueTypeOf("orders"), retryDelaysMs: [] };
  expect(nextStep(queue, 1, failed)).toEqual({ kind: "dead-letter", reason: "no van" });
});
