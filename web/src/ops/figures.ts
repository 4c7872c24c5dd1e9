import { ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { formatCount, formatMs, formatRate } from "../ui/numbers.ts";
import { outside } from "./mesh-history.ts";

/** A number that says at a glance whether all is well. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly tone: "" | "good" | "warn" | "bad";
}

/** The head of the console. */
export function figuresOf(snapshot: MeshSnapshot): readonly Figure[] {
  const { services, edges, orders, queues } = snapshot;
  const ready = services.filter(({ health }) => health === ServiceHealth.READY).length;
  const calls = outside(edges);
  const failing = edges.reduce((sum, edge) => sum + edge.errorsPerSecond, 0);
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting + queue.retrying, 0n);
  const dead = queues.reduce((sum, queue) => sum + queue.deadLetters, 0n);
  const onTheWay = orders.reduce((sum, { count }) => sum + count, 0n);
  return [
    {
      name: "Services ready",
      value: `${ready} of ${services.length}`,
      note: ready === services.length ? "all services" : "see the map",
      tone: ready === services.length ? "good" : "bad",
    },
    {
      name: "Client calls",
      value: formatRate(calls.rate),
      note:
        calls.rate > 0 ? `p50 ${formatMs(calls.p50Ms)} · p99 ${formatMs(calls.p99Ms)}` : "no calls",
      tone: "",
    },
    {
      name: "Orders in progress",
      value: formatCount(onTheWay),
      note: `${formatCount(waiting)} ${waiting === 1n ? "message waits" : "messages wait"}`,
      tone: "",
    },
    {
      name: "Failures",
      value: formatRate(failing),
      note: "calls and messages",
      tone: failing > 0 ? "warn" : "good",
    },
    {
      name: "Dead letters",
      value: formatCount(dead),
      note: dead > 0n ? "see Dead letters" : "none",
      tone: dead > 0n ? "warn" : "good",
    },
  ];
}
