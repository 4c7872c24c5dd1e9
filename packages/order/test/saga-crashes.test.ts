/** A process that dies or breaks down at any point on the way to any outcome: the order comes to the same end. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CrashPoint } from "../src/crash-points.ts";
import { allCrashPoints } from "../src/crash-points.ts";
import type { OrderProcess } from "./order-process.ts";
import { runOrder } from "./order-run.ts";
import { outcomes, pointsOf } from "./outcomes.ts";
import { openOrders } from "./setup.ts";

let orders: Awaited<ReturnType<typeof openOrders>>;
beforeAll(async () => {
  orders = await openOrders();
});
afterAll(() => orders[Symbol.asyncDispose]());

it("every crash point is on the way to an outcome", () => {
  expect(new Set(outcomes.flatMap(pointsOf))).toEqual(new Set(allCrashPoints));
});

describe.each(outcomes)("$name", (outcome) => {
  it("comes by its points in their order", async () => {
    const passed: CrashPoint[] = [];
    await runOrder(orders.database, outcome, ({ process }) => {
      process.crash({ hit: (name) => void passed.push(name) });
    });
    expect(passed).toEqual(pointsOf(outcome));
  });

  it.each(pointsOf(outcome))("though the process dies at %s", (point) =>
    interrupted((process) => process.dieAt(point)),
  );

  it.each(pointsOf(outcome))("though something throws at %s", (point) =>
    interrupted((process) => process.throwAt(point)),
  );

  async function interrupted(interrupt: (process: OrderProcess) => void): Promise<void> {
    let first: OrderProcess | undefined;
    await runOrder(orders.database, outcome, ({ process }) => {
      first = process;
      interrupt(process);
    });
    expect(first?.unharmed).toBe(false);
  }
});
