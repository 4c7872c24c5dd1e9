import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { queueTypeOf } from "@smartcart/contract";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { handleBatch, nextStep } from "./message-processor.ts";
import type { Delivery, Outcome } from "./types.ts";

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

describe("a batch that fails", () => {
  const batch = Array.from({ length: 64 }, (_, index) => ({
    id: `m${index}`,
    type: OrderPlacedSchema.typeName,
    routingKey: "order.placed",
    traceparent: "",
    attempt: 2,
    contentType: "",
    body: toBinary(OrderPlacedSchema, create(OrderPlacedSchema, { orderId: `ORD-${index}` })),
  }));
  const run = (
    handle: (batch: readonly Delivery[]) => Promise<readonly Outcome[]>,
    o: { handlerTimeoutMs?: number; isStopping?: () => boolean } = {},
  ) => {
    const options = { name: "test", log: silentLogger, handlerTimeoutMs: 30_000, ...o, handle };
    return handleBatch(queueTypeOf("orders"), batch, options, o.isStopping);
  };
  const ackAll = (part: readonly Delivery[]) => part.map(() => ({ kind: "ack" }) as const);

  it("is cut by halves, so that one poison costs few calls", async () => {
    let calls = 0;
    const steps = await run(async (part) => {
      calls++;
      if (part.some(({ id }) => id === "m13")) throw new Error("no such street");
      return ackAll(part);
    });
    expect(calls).toBe(13);
    expect(steps.map(({ kind }) => kind)).toEqual(
      batch.map(({ id }) => (id === "m13" ? "retry" : "remove")),
    );
    expect(steps[13]).toEqual({
      kind: "retry",
      delayMs: 10_000,
      attempt: 3,
      reason: "no such street",
    });
  });

  it("waits as the same attempt where there is no time to ask about each", async () => {
    const steps = await run(() => new Promise(() => {}), { handlerTimeoutMs: 20 });
    const attempts = steps.map((step) => (step.kind === "retry" ? step.attempt : 0));
    expect(attempts.slice(0, 3)).toEqual([3, 3, 3]);
    expect(attempts.slice(20)).toEqual(batch.slice(20).map(() => 2));
  });

  it("does not hold up a stop", async () => {
    let calls = 0;
    const steps = await run(
      async () => {
        calls++;
        throw new Error("no disk");
      },
      { isStopping: () => true },
    );
    expect(calls).toBe(1);
    expect(steps[0]).toEqual({
      kind: "retry",
      delayMs: 1_000,
      attempt: 2,
      reason: "its batch failed: no disk",
    });
  });
});

it.each([
  ["answers", async () => [{ kind: "dead-letter", reason: "no house at 1 Main St" }] as const],
  ["throws", () => Promise.reject(new Error("no house at 1 Main St"))],
])("keeps what a handler %s free of the message's personal data", async (_, handle) => {
  const event = { orderId: "ORD-1", address: "1 Main St" };
  const raw = {
    ...{ id: "m", type: OrderPlacedSchema.typeName, routingKey: "order.placed", traceparent: "" },
    ...{ attempt: 6, contentType: "" },
    body: toBinary(OrderPlacedSchema, create(OrderPlacedSchema, event)),
  };
  const logged: string[] = [];
  const record = (...line: unknown[]) => void logged.push(JSON.stringify(line));
  const log = { ...silentLogger, warn: record };
  const steps = await handleBatch(queueTypeOf("orders"), [raw], { name: "test", log, handle });
  expect(steps).toEqual([{ kind: "dead-letter", reason: "no house at [redacted]" }]);
  expect(logged.join("")).toContain("bus.dead_letter");
  expect(logged.join("")).not.toContain("Main");
});
