import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { PartReport } from "@smartcart/gen/ops/v1/part_report_pb";
import { PartHealth, PartReportSchema } from "@smartcart/gen/ops/v1/part_report_pb";
import { ordersOf, stateOf, switchesOf } from "./part-states.ts";

function report(gauges: Record<string, number>, health: PartHealth = PartHealth.READY): PartReport {
  return create(PartReportSchema, {
    part: "order",
    health,
    failedChecks: health === PartHealth.READY ? [] : ["bus"],
    gauges: Object.entries(gauges).map(([name, value]) => ({ name, value: BigInt(value) })),
    switches: [{ part: "order", name: "stop", value: BigInt(gauges.stop ?? 0), max: 1n }],
  });
}

test("a part is as well as the worst of its processes", () => {
  const of = (...reports: (PartReport | undefined)[]) => stateOf({ part: "order", reports });
  const ready = report({});
  const notReady = report({}, PartHealth.NOT_READY);
  expect(of(ready, ready)).toMatchObject({ health: PartHealth.READY, processes: 2 });
  expect(of(ready, report({}, PartHealth.DRAINING)).health).toBe(PartHealth.DRAINING);
  expect(of(notReady, ready)).toMatchObject({
    health: PartHealth.NOT_READY,
    failedChecks: ["bus"],
  });
  expect(of(ready, undefined)).toMatchObject({ health: PartHealth.AWAY, processes: 1 });
  expect(of(undefined)).toMatchObject({ health: PartHealth.AWAY, processes: 0 });
});

test("gauges add up, but for what all processes read from one table", () => {
  const reports = [
    report({ sockets: 3, "orders.PAID": 7 }),
    report({ sockets: 4, "orders.PAID": 8 }),
  ];
  expect(stateOf({ part: "order", reports }).gauges).toEqual([
    { name: "sockets", value: 7n },
    { name: "orders.PAID", value: 8n },
  ]);
});

test("orders are told in the order of their life", () => {
  const reports = [report({ "orders.SHIPPING": 1, "orders.RECEIVED": 2, "orders.PAID": 0 })];
  expect(ordersOf([{ part: "order", reports }])).toEqual([
    { state: "RECEIVED", count: 2n },
    { state: "SHIPPING", count: 1n },
  ]);
});

test("a switch that is on in one process is on", () => {
  const reports = [report({}), report({ stop: 1 }), undefined];
  expect(switchesOf([{ part: "order", reports }])).toMatchObject([{ name: "stop", value: 1n }]);
});
