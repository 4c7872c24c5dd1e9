import { expect, test } from "vitest";
import type { HubReadings } from "./result.ts";
import { percentile, toMeasurement } from "./result.ts";

test.each([
  [[5], 50, 5],
  [[5], 99, 5],
  [[4, 1, 3, 2], 50, 2],
  [[4, 1, 3, 2], 99, 4],
  [Array.from({ length: 200 }, (_, index) => 200 - index), 99, 198],
  [[], 50, Number.NaN],
])("of %j, %d per cent are at most %d", (values, percent, expected) =>
  expect(percentile(values, percent)).toBe(expected),
);

const readings: HubReadings = {
  contender: "rabbitmq",
  sockets: 4,
  published: { statuses: 60, elapsedMs: 2_000 },
  clients: [
    { statuses: 40, misdelivered: 0, disordered: 1, delaysMs: [1, 2, 3], lost: {} },
    {
      statuses: 18,
      misdelivered: 2,
      disordered: 0,
      delaysMs: [4],
      lost: { "closed with 1013": 3 },
    },
  ],
  elapsedMs: 2_500,
  processors: 2,
  hubCpuMs: 5.8,
  clientsCpuMs: 1_000,
  residentBytes: { withoutSockets: 1_000, connected: 1_400, afterOrders: 1_800 },
  reconnected: [
    { caughtUpMs: [10, 20], retries: { "closed with 1006": 2 } },
    { caughtUpMs: [30, 40], retries: {} },
  ],
  survived: true,
};

test("all processes of clients together, by status and by socket", () => {
  expect(toMeasurement(readings)).toEqual({
    contender: "rabbitmq",
    sockets: 4,
    sent: 60,
    delivered: 58,
    sentPerSecond: 30,
    faults: 6,
    p50Ms: 2,
    p99Ms: 4,
    cpuMicrosPerStatus: 100,
    bytesPerSocket: 100,
    bytesPerSocketAfterOrders: 200,
    clientsShare: 0.2,
    caughtUp: 4,
    catchUpP50Ms: 20,
    catchUpP99Ms: 40,
    catchUpRetries: 2,
    survived: true,
  });
});

test("a hub that did not bring every socket up to date has not survived", () => {
  const reconnected = [{ caughtUpMs: [10, 20, 30], retries: {} }];
  expect(toMeasurement({ ...readings, reconnected }).survived).toBe(false);
});
