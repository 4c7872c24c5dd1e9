import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { MeshSnapshotSchema } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { addSnapshots, emptyHistory, maxSamples, outside } from "./mesh-history.ts";

const at = (second: number) =>
  create(MeshSnapshotSchema, {
    takenAt: timestampFromMs(second * 1_000),
    orders: [{ state: "RECEIVED", count: BigInt(second) }],
  });
const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => at(from + index));
const seconds = (history: typeof emptyHistory) => history.samples.map(({ atMs }) => atMs / 1_000);

test("a new connection repeats the past, and no moment counts twice", () => {
  const before = addSnapshots(emptyHistory, range(1, 4));
  expect(seconds(addSnapshots(before, range(2, 6)))).toEqual([1, 2, 3, 4, 5]);
  expect(addSnapshots(before, range(1, 3))).toBe(before);
});

test("it keeps five minutes, however long the console is open", () => {
  const history = range(0, 1_000).reduce(
    (sum, snapshot) => addSnapshots(sum, [snapshot]),
    emptyHistory,
  );
  expect(history.samples).toHaveLength(maxSamples);
  expect(history.samples.at(-1)?.states.get("RECEIVED")).toBe(999);
  expect(history.latest?.orders[0]?.count).toBe(999n);
});

test("calls from outside add up, and the slowest service counts", () => {
  const { edges } = create(MeshSnapshotSchema, {
    edges: [
      { from: "client", to: "order", ratePerSecond: 10, p50Ms: 4, p99Ms: 30 },
      { from: "client", to: "inventory", ratePerSecond: 5, p50Ms: 1, p99Ms: 3 },
      { from: "order", to: "payment", ratePerSecond: 99, p99Ms: 99 },
    ],
  });
  expect(outside(edges)).toEqual({ rate: 15, p50Ms: 4, p99Ms: 30 });
  expect(outside([])).toEqual({ rate: 0, p50Ms: 0, p99Ms: 0 });
});
