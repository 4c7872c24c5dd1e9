import { expect, test } from "vitest";
import type { ContenderName } from "./contenders.ts";
import type { Measurement } from "./measure.ts";
import { median, table } from "./report.ts";

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 2, 3], 2.5],
  [[7], 7],
])("the median of %j is %d", (values, expected) => expect(median(values)).toBe(expected));

test("the table compares medians within a scenario", () => {
  const text = table([
    measured("seed", 100, 100),
    measured("smartcart", 100, 150),
    measured("smartcart", 100, 250),
    measured("smartcart", 100, 200),
    measured("seed", 2, 50),
    measured("smartcart", 2, 25),
  ]);
  const rows = text.split("\n").slice(2);
  expect(rows.map((row) => row.split(" | ").slice(0, 7).join(" "))).toEqual([
    "| 100 2 8 seed 100 1.00 ",
    "| 100 2 8 smartcart 200 2.00 ",
    "| 2 2 8 seed 50 1.00 ",
    "| 2 2 8 smartcart 25 0.50 ",
  ]);
});

function measured(
  contender: ContenderName,
  products: number,
  ordersPerSecond: number,
): Measurement {
  return {
    contender,
    products,
    lines: 2,
    connections: 8,
    ordersPerSecond,
    readyMs: 1_000,
    orders: 1,
    p50Ms: 1,
    p99Ms: 1,
    failed: 0,
    perOrder: { cpuMs: {}, transactions: 0, statements: 0, rows: 0, walBytes: 0, messages: 0 },
    peakMemoryBytes: 0,
    broken: [],
  };
}
