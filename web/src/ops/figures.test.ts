import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import { MeshSnapshotSchema } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { alarmsOf } from "./alarms/alarms.ts";
import { figuresOf } from "./figures.ts";

const values = (...args: Parameters<typeof figuresOf>) =>
  Object.fromEntries(figuresOf(...args).map(({ name, value, tone }) => [name, [value, tone]]));

test("trouble can be told at a glance", () => {
  const snapshot = create(MeshSnapshotSchema, {
    services: [
      { service: "order", health: ServiceHealth.READY },
      { service: "payment", health: ServiceHealth.UNREACHABLE },
    ],
    edges: [{ from: "client", to: "order", ratePerSecond: 12, errorsPerSecond: 0.5 }],
    queues: [{ queue: "orders", waiting: 3n, retrying: 1n, deadLetters: 2n, handledPerSecond: 7 }],
    orders: [
      { state: "RECEIVED", count: 4n },
      { state: "CONFIRMED", count: 8n },
    ],
  });
  expect(values(snapshot)).toEqual({
    "Client calls": ["12/s", ""],
    "Orders in progress": ["12", ""],
    Failures: ["0.5/s", "warn"],
    "Messages handled": ["7/s", ""],
  });
});

test("no figure repeats an alarm", () => {
  const snapshot = create(MeshSnapshotSchema, {});
  const alarms = alarmsOf(snapshot, []).map(({ name }) => name);
  const figures = figuresOf(snapshot).map(({ name }) => name);
  expect(figures.filter((name) => alarms.some((alarm) => name.startsWith(alarm)))).toEqual([]);
});

test("an idle mesh looks well", () => {
  const { Failures } = values(create(MeshSnapshotSchema, {}));
  expect(Failures).toEqual(["0/s", "good"]);
});
