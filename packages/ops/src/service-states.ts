/** What the processes of a service say, as one. Pure. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FaultSwitch, InstanceReport } from "@smartcart/gen/ops/v1/instance_report_pb";
import { ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import type {
  Edge,
  ServiceStateSchema,
  StateCountSchema,
} from "@smartcart/gen/ops/v1/mesh_snapshot_pb";

/** A service and the latest report of each of its processes; undefined for one that does not answer. */
export interface ServiceProcesses {
  readonly service: string;
  readonly reports: readonly (InstanceReport | undefined)[];
}

/** From good to bad. */
const healths: readonly ServiceHealth[] = [
  ServiceHealth.READY,
  ServiceHealth.DRAINING,
  ServiceHealth.NOT_READY,
  ServiceHealth.UNREACHABLE,
];

/** The states of an order's life that are not an end, in their order. */
const orderStates = [
  "RECEIVED",
  "STOCK_RESERVED",
  "PAID",
  "CONFIRMED",
  "SHIPPING",
  "REJECTED_REFUNDING",
  "REJECTED_RELEASING",
  "CANCEL_REQUESTED",
  "CANCELLED_REFUNDING",
  "CANCELLED_RELEASING",
];

export function stateOf({
  service,
  reports,
}: ServiceProcesses): MessageInitShape<typeof ServiceStateSchema> {
  const answering = reports.filter((report) => report !== undefined);
  const ranks = reports.map((report) =>
    healths.indexOf(report?.health ?? ServiceHealth.UNREACHABLE),
  );
  return {
    service,
    health: healths[Math.max(...ranks)] ?? ServiceHealth.UNREACHABLE,
    failedChecks: [...new Set(answering.flatMap(({ failedChecks }) => failedChecks))].sort(),
    processes: answering.length,
    gauges: [...gaugesOf(answering)].map(([name, value]) => ({ name, value })),
  };
}

/** How many orders are in which state. */
export function ordersOf(
  services: readonly ServiceProcesses[],
): MessageInitShape<typeof StateCountSchema>[] {
  const order = services.find(({ service }) => service === "order")?.reports ?? [];
  const gauges = gaugesOf(order.filter((report) => report !== undefined));
  const counts = orderStates.map((state) => ({
    state,
    count: gauges.get(`orders.${state}`) ?? 0n,
  }));
  return counts.filter(({ count }) => count > 0n);
}

/** The service that consumes each work queue, and its readiness check for that. */
const consumers: Readonly<Record<string, { readonly service: string; readonly check: string }>> = {
  logs: { service: "log", check: "logs" },
  orders: { service: "shipping", check: "orders" },
  shipments: { service: "order", check: "shipments" },
};

/** How many processes consume a queue, and how many messages a second they handle: each of them consumes one work queue. */
export function consumptionOf(
  queue: string,
  services: readonly ServiceProcesses[],
  edges: readonly Pick<Edge, "from" | "to" | "ratePerSecond">[],
): { readonly consumers: number; readonly handledPerSecond: number } {
  const consumer = consumers[queue];
  const reports = services.find(({ service }) => service === consumer?.service)?.reports ?? [];
  const edge = edges.find(({ from, to }) => from === "queue" && to === consumer?.service);
  return {
    consumers: reports.filter(
      (report) => report !== undefined && !report.failedChecks.includes(consumer?.check ?? ""),
    ).length,
    handledPerSecond: edge?.ratePerSecond ?? 0,
  };
}

/** The fault switches of all services. Processes of one service have the same ones. */
export function faultSwitchesOf(services: readonly ServiceProcesses[]): FaultSwitch[] {
  return services.flatMap(({ reports }) => {
    const byName = new Map<string, FaultSwitch>();
    for (const one of reports.flatMap((report) => report?.faultSwitches ?? [])) {
      const known = byName.get(one.name);
      // One that is on somewhere is on.
      if (known === undefined || one.value > known.value) byName.set(one.name, one);
    }
    return [...byName.values()];
  });
}

/** Added up. What is read from a table that all processes share ("orders.PAID", "outbox.pending") counts once. */
function gaugesOf(reports: readonly InstanceReport[]): Map<string, bigint> {
  const gauges = new Map<string, bigint>();
  for (const { name, value } of reports.flatMap((report) => report.gauges)) {
    const known = gauges.get(name);
    if (known === undefined) gauges.set(name, value);
    else if (!name.includes(".")) gauges.set(name, known + value);
    else if (known < value) gauges.set(name, value);
  }
  return gauges;
}
