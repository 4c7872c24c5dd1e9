import fc from "fast-check";
import { expect, it } from "vitest";
import type { Registry } from "@smartcart/runtime";
import { createMetrics, silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { propertyOptions } from "@smartcart/testkit";
import type { ReservationManager } from "../src/reservations/reservation-manager.ts";
import { createReservationManager } from "../src/reservations/reservation-manager.ts";
import type { Outcome } from "../src/reservations/reservation-outcome.ts";
import { brokenStock, startTestInventory } from "./support.ts";

type Step =
  | { kind: "reserve"; id: number; lines: { product: number; quantity: number }[]; ttlMs: number }
  | { kind: "commit" | "release"; id: number }
  | { kind: "expire" };

const id = fc.nat(11);
const lines = fc.uniqueArray(
  fc.record({ product: fc.nat(3), quantity: fc.integer({ min: 1, max: 3 }) }),
  { selector: (line) => line.product, minLength: 1, maxLength: 4 },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("reserve" as const),
      id,
      lines,
      ttlMs: fc.constantFrom(0, 60_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("commit", "release"), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("expire" as const) }) },
);
// Two processes with several workers each: steps of one worker follow each other, workers run at once.
const workers = fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), {
  minLength: 2,
  maxLength: 8,
});

it("keeps every unit accounted for under concurrent steps, without a deadlock", async () => {
  await using inventory = await startTestInventory({ RESERVATION_SWEEP_MS: "3600000" });
  await using stack = new AsyncDisposableStack();
  const registries = [createMetrics("one"), createMetrics("two")];
  const managers = registries.map((metrics) =>
    createReservationManager({
      database: stack.use(
        createDatabase({
          url: inventory.databaseUrl,
          schema: "inventory",
          log: silentLogger,
          metrics,
        }),
      ),
      onChange: () => {},
    }),
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(workers, async (plans) => {
      const prefix = `run-${run++}-`;
      const products = await Promise.all([3, 5, 5, 8].map(inventory.addProduct));
      const answers = await Promise.all(
        plans.map(async (steps, worker) => {
          const manager = managers[worker % managers.length] as ReservationManager;
          const taken: Taken[] = [];
          for (const step of steps) {
            taken.push({ step, outcome: await take(manager, step, prefix, products) });
          }
          return taken;
        }),
      );
      expect(await brokenStock(inventory.sql)).toEqual([]);
      for (const sold of soldForGood(answers.flat())) {
        expect(await managers[0]?.commit(prefix + sold)).toMatchObject(committed);
      }
    }),
    propertyOptions({ numRuns: 60 }),
  );
  // A deadlock would not show as a failure: the transaction that it ends is run again.
  const outcomes = await Promise.all(registries.map(transactionOutcomes));
  expect(outcomes.flat()).toContain("commit");
  expect(outcomes.flat()).not.toContain("retry");
});

const committed = { kind: "reservation", reservation: { status: "COMMITTED" } };

/** A step, and what it was answered; undefined for a refusal. */
interface Taken {
  readonly step: Step;
  readonly outcome: Outcome | undefined;
}

/** The reservations whose commit was confirmed to a caller, and that no caller released. */
function soldForGood(taken: readonly Taken[]): number[] {
  const told = taken.flatMap(({ step, outcome }) =>
    step.kind === "commit" && outcome?.kind === "reservation" ? [step.id] : [],
  );
  const released = taken.flatMap(({ step }) => (step.kind === "release" ? [step.id] : []));
  return [...new Set(told)].filter((id) => !released.includes(id));
}

/** The ways in which transactions ended: "commit", "rollback" or, after a deadlock, "retry". */
async function transactionOutcomes(metrics: Registry): Promise<unknown[]> {
  const seconds = await metrics.getSingleMetric("store_inventory_transaction_seconds")?.get();
  return seconds?.values.map(({ labels }) => (labels as { outcome?: string }).outcome) ?? [];
}

/** Runs a step; a refusal by a known code is as good as an answer. */
async function take(
  manager: ReservationManager,
  step: Step,
  prefix: string,
  products: readonly string[],
): Promise<Outcome | undefined> {
  try {
    switch (step.kind) {
      case "reserve":
        return await manager.reserve({
          reservationId: prefix + step.id,
          lines: step.lines.map(({ product, quantity }) => ({
            productId: products[product] as string,
            quantity,
          })),
          ttlMs: step.ttlMs,
        });
      case "commit":
        return await manager.commit(prefix + step.id);
      case "release":
        await manager.release(prefix + step.id);
        return undefined;
      case "expire":
        await manager.expire(50);
        return undefined;
    }
  } catch (error) {
    const expected = ["RESERVATION_EXISTS", "RESERVATION_NOT_FOUND", "RESERVATION_RELEASED"];
    expect(expected).toContain((error as { code?: string }).code ?? error);
    return undefined;
  }
}
