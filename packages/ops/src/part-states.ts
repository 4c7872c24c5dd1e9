/** What the processes of a part say, as one. Pure. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PartStateSchema, StateCountSchema } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type { PartReport, Switch } from "@smartcart/gen/ops/v1/part_report_pb";
import { PartHealth } from "@smartcart/gen/ops/v1/part_report_pb";

/** A part and the latest report of each of its processes; undefined for one that does not answer. */
export interface PartProcesses {
  readonly part: string;
  readonly reports: readonly (PartReport | undefined)[];
}

/** From good to bad. */
const healths: readonly PartHealth[] = [
  PartHealth.READY,
  PartHealth.DRAINING,
  PartHealth.NOT_READY,
  PartHealth.AWAY,
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
  part,
  reports,
}: PartProcesses): MessageInitShape<typeof PartStateSchema> {
  const answering = reports.filter((report) => report !== undefined);
  const ranks = reports.map((report) => healths.indexOf(report?.health ?? PartHealth.AWAY));
  return {
    part,
    health: healths[Math.max(...ranks)] ?? PartHealth.AWAY,
    failedChecks: [...new Set(answering.flatMap(({ failedChecks }) => failedChecks))].sort(),
    processes: answering.length,
    gauges: [...gaugesOf(answering)].map(([name, value]) => ({ name, value })),
  };
}

/** How many orders are in which state. */
export function ordersOf(
  parts: readonly PartProcesses[],
): MessageInitShape<typeof StateCountSchema>[] {
  const order = parts.find(({ part }) => part === "order")?.reports ?? [];
  const gauges = gaugesOf(order.filter((report) => report !== undefined));
  const counts = orderStates.map((state) => ({
    state,
    count: gauges.get(`orders.${state}`) ?? 0n,
  }));
  return counts.filter(({ count }) => count > 0n);
}

/** What can be broken; processes of one part have the same switches. */
export function switchesOf(parts: readonly PartProcesses[]): Switch[] {
  return parts.flatMap(({ reports }) => {
    const byName = new Map<string, Switch>();
    for (const one of reports.flatMap((report) => report?.switches ?? [])) {
      const known = byName.get(one.name);
      // One that is on somewhere is on.
      if (known === undefined || one.value > known.value) byName.set(one.name, one);
    }
    return [...byName.values()];
  });
}

/** Added up. What is read from a table that all processes share ("orders.PAID", "outbox.pending") counts once. */
function gaugesOf(reports: readonly PartReport[]): Map<string, bigint> {
  const gauges = new Map<string, bigint>();
  for (const { name, value } of reports.flatMap((report) => report.gauges)) {
    const known = gauges.get(name);
    if (known === undefined) gauges.set(name, value);
    else if (!name.includes(".")) gauges.set(name, known + value);
    else if (known < value) gauges.set(name, value);
  }
  return gauges;
}
