import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { EdgeKind, InstanceReportSchema } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { Seen, Track } from "./edges.ts";
import { edgesOf, follow, percentile } from "./edges.ts";

/** A report of calls from order to payment: up to 10 ms, up to 100 ms, slower. */
function seen(
  atMs: number,
  calls: readonly number[],
  o: { errors?: number; id?: string } = {},
): Seen {
  const [fast = 0, slow = 0, slower = 0] = calls;
  const report = create(InstanceReportSchema, {
    service: "order",
    instanceId: o.id ?? "a",
    edges: [
      {
        from: "order",
        to: "payment",
        kind: EdgeKind.CALL,
        count: BigInt(fast + slow + slower),
        errors: BigInt(o.errors ?? 0),
        latencyCounts: [BigInt(fast), BigInt(slow)],
        latencyBoundsMs: [10, 100],
      },
    ],
  });
  return { atMs, report };
}

const track = (...all: readonly Seen[]) => all.reduce<Track>(follow, []);

describe("the rates of an edge", () => {
  test("are those of the last five seconds", () => {
    const seconds = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    const reports = seconds.map((at) => seen(at * 1_000, [at < 6 ? 100 : 100 + (at - 5) * 10]));
    const [edge] = edgesOf([track(...reports)]);
    expect(edge).toMatchObject({ from: "order", to: "payment", kind: EdgeKind.CALL });
    // 30 calls in the last three of the five seconds.
    expect(edge?.ratePerSecond).toBeCloseTo(6);
  });

  test("count what failed, and all processes together", () => {
    const one = track(seen(0, [0]), seen(5_000, [50], { errors: 10 }));
    const other = track(seen(0, [0], { id: "b" }), seen(5_000, [0, 50], { id: "b" }));
    const [edge] = edgesOf([one, other]);
    expect(edge).toMatchObject({ ratePerSecond: 20, errorsPerSecond: 2, p50Ms: 10 });
  });

  test("begin anew with a new process, whose counters do", () => {
    const restarted = track(seen(0, [1_000]), seen(1_000, [3], { id: "b" }));
    expect(edgesOf([restarted])).toMatchObject([{ ratePerSecond: 0 }]);
    const later = follow(restarted, seen(2_000, [8], { id: "b" }));
    expect(edgesOf([later])).toMatchObject([{ ratePerSecond: 5 }]);
  });

  test("are none where no process answers", () => {
    expect(edgesOf([[]])).toEqual([]);
  });
});

describe("a percentile", () => {
  const bounds = [10, 100];
  test("lies within its bucket", () => {
    expect(percentile(0.5, { counts: [100, 0], bounds, total: 100 })).toBe(5);
    expect(percentile(0.99, { counts: [50, 50], bounds, total: 100 })).toBeCloseTo(98.2);
  });
  test("beyond the last bound is the last bound", () => {
    expect(percentile(0.99, { counts: [1, 1], bounds, total: 100 })).toBe(100);
  });
  test("of nothing is nothing", () => {
    expect(percentile(0.5, { counts: [], bounds, total: 0 })).toBe(0);
  });
});
