import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { formatCount, formatMs, formatRate } from "../ui/numbers.ts";
import { outside } from "./mesh-history.ts";

/** A figure of the overview. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly tone: "" | "good" | "warn" | "bad";
}

/** The head of the overview: rates and counts. Problems are in the row of alarms above it. */
export function figuresOf(snapshot: MeshSnapshot): readonly Figure[] {
  const { edges, orders, queues } = snapshot;
  const calls = outside(edges);
  const failing = edges.reduce((sum, edge) => sum + edge.errorsPerSecond, 0);
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting + queue.retrying, 0n);
  const handled = queues.reduce((sum, queue) => sum + queue.handledPerSecond, 0);
  const onTheWay = orders.reduce((sum, { count }) => sum + count, 0n);
  return [
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
      note: "not yet at their end",
      tone: "",
    },
    {
      name: "Failures",
      value: formatRate(failing),
      note: "calls and messages",
      tone: failing > 0 ? "warn" : "good",
    },
    {
      name: "Messages handled",
      value: formatRate(handled),
      note: `${formatCount(waiting)} ${waiting === 1n ? "waits" : "wait"}`,
      tone: "",
    },
  ];
}
