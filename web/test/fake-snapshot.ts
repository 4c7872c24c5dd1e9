import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { FaultSwitch } from "@smartcart/gen/ops/v1/instance_report_pb";
import { EdgeKind, ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { MeshSnapshotSchema } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";

export interface FakeSnapshotOptions {
  readonly second: number;
  readonly deadLetters: readonly DeadLetter[];
  readonly faultSwitches: readonly FaultSwitch[];
  readonly ordersPerSecond?: number;
  readonly ordersOnTheWay?: number;
  readonly unreachableService?: string;
}

const services = [
  "order",
  "inventory",
  "payment",
  "notification",
  "shipping",
  "status-hub",
  "log",
] as const;

const { CALL, MESSAGE } = EdgeKind;

/** From, to, how, edges an order, p50 and p99 in milliseconds. */
const edges = [
  ["client", "order", CALL, 1.1, 11, 46],
  ["client", "inventory", CALL, 0.4, 1.4, 6],
  ["order", "inventory", CALL, 2, 1.9, 9],
  ["order", "payment", CALL, 1, 6.2, 34],
  ["notification", "queue", MESSAGE, 3, 0, 0],
  ["queue", "shipping", MESSAGE, 1, 0, 0],
  ["shipping", "queue", MESSAGE, 2, 0, 0],
  ["queue", "order", MESSAGE, 2, 0, 0],
  ["queue", "status-hub", MESSAGE, 6, 0, 0],
  ["queue", "log", MESSAGE, 9, 0, 0],
  ["status-hub", "order", CALL, 0.2, 2.2, 7],
] as const;

/** Share of the orders that are in each state. */
const states = [
  ["RECEIVED", 0.08],
  ["STOCK_RESERVED", 0.14],
  ["PAID", 0.06],
  ["CONFIRMED", 0.3],
  ["SHIPPING", 0.42],
] as const;

/** Most hops that a snapshot carries. */
const maxHops = 100;

/** The mesh at a second. The same second is always the same picture, but for what an operator did. */
export function fakeSnapshot(
  options: FakeSnapshotOptions,
): MessageInitShape<typeof MeshSnapshotSchema> {
  const { second, deadLetters, faultSwitches, ordersPerSecond = 24, unreachableService } = options;
  const rate = ordersPerSecond * (1 + 0.22 * Math.sin(second / 23) + 0.08 * Math.sin(second / 3.1));
  const onTheWay = (options.ordersOnTheWay ?? ordersPerSecond * 3) * (rate / ordersPerSecond || 0);
  return {
    takenAt: timestampFromMs(second * 1_000),
    services: services.map((service) => ({
      service,
      health: service === unreachableService ? ServiceHealth.UNREACHABLE : ServiceHealth.READY,
      processes: service === unreachableService ? 0 : service === "order" ? 2 : 1,
      gauges:
        service === "order"
          ? [{ name: "outbox.pending", value: BigInt(Math.round(rate / 9)) }]
          : [],
    })),
    edges: edges.map(([from, to, kind, each, p50Ms, p99Ms]) => ({
      from,
      to,
      kind,
      ratePerSecond: rate * each,
      errorsPerSecond: to === unreachableService ? rate * each : 0,
      p50Ms: p50Ms * (1 + 0.1 * Math.sin(second / 11)),
      p99Ms: p99Ms * (1 + 0.35 * Math.sin(second / 17)),
    })),
    queues: [
      { queue: "logs", waiting: BigInt(Math.round(rate)) },
      {
        queue: "orders",
        waiting: BigInt(Math.round(rate / 7)),
        oldestMs: 420n,
        deadLetters: BigInt(deadLetters.length),
      },
      {
        queue: "shipments",
        waiting: BigInt(Math.round(rate / 5)),
        retrying: deadLetters.length > 0 ? 1n : 0n,
      },
    ],
    orders: states.map(([state, share], index) => ({
      state,
      count: BigInt(Math.round(onTheWay * share * (1 + 0.25 * Math.sin(second / 13 + index)))),
    })),
    hops: hopsAt(second, Math.min(maxHops, Math.round(rate * 3)), unreachableService),
    faultSwitches: [...faultSwitches],
  };
}

function hopsAt(second: number, count: number, unreachableService: string | undefined) {
  return Array.from({ length: count }, (_, index) => {
    const [from, to] = edges[index % edges.length] ?? edges[0];
    return {
      orderId: `ORD-${second}-${index}`,
      from,
      to,
      passedAt: timestampFromMs(second * 1_000 - 1_000 + Math.round((index * 1_000) / count)),
      failed: to === unreachableService,
    };
  });
}
