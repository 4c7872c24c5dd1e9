import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { InstanceReport } from "@smartcart/gen/ops/v1/instance_report_pb";
import { InstanceReportSchema, ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import { faultSwitchesOf, ordersOf, stateOf } from "./service-states.ts";

function report(
  gauges: Record<string, number>,
  health: ServiceHealth = ServiceHealth.READY,
): InstanceReport {
  return create(InstanceReportSchema, {
    service: "order",
    health,
    failedChecks: health === ServiceHealth.READY ? [] : ["bus"],
    gauges: Object.entries(gauges).map(([name, value]) => ({ name, value: BigInt(value) })),
    faultSwitches: [{ service: "order", name: "stop", value: BigInt(gauges.stop ?? 0), max: 1n }],
  });
}

test("a service is as well as the worst of its processes", () => {
  const of = (...reports: (InstanceReport | undefined)[]) => stateOf({ service: "order", reports });
  const ready = report({});
  const notReady = report({}, ServiceHealth.NOT_READY);
  expect(of(ready, ready)).toMatchObject({ health: ServiceHealth.READY, processes: 2 });
  expect(of(ready, report({}, ServiceHealth.DRAINING)).health).toBe(ServiceHealth.DRAINING);
  expect(of(notReady, ready)).toMatchObject({
    health: ServiceHealth.NOT_READY,
    failedChecks: ["bus"],
  });
  expect(of(ready, undefined)).toMatchObject({ health: ServiceHealth.UNREACHABLE, processes: 1 });
  expect(of(undefined)).toMatchObject({ health: ServiceHealth.UNREACHABLE, processes: 0 });
});

test("gauges add up, but for what all processes read from one table", () => {
  const reports = [
    report({ sockets: 3, "orders.PAID": 7 }),
    report({ sockets: 4, "orders.PAID": 8 }),
  ];
  expect(stateOf({ service: "order", reports }).gauges).toEqual([
    { name: "sockets", value: 7n },
    { name: "orders.PAID", value: 8n },
  ]);
});

test("orders are told in the order of their life", () => {
  const reports = [report({ "orders.SHIPPING": 1, "orders.RECEIVED": 2, "orders.PAID": 0 })];
  expect(ordersOf([{ service: "order", reports }])).toEqual([
    { state: "RECEIVED", count: 2n },
    { state: "SHIPPING", count: 1n },
  ]);
});

test("a switch that is on in one process is on", () => {
  const reports = [report({}), report({ stop: 1 }), undefined];
  expect(faultSwitchesOf([{ service: "order", reports }])).toMatchObject([
    { name: "stop", value: 1n },
  ]);
});
