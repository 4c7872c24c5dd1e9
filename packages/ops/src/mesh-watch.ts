/** Aggregates the reports of all services once per second while a console is open, and keeps the last five minutes. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { HopSchema, MeshSnapshotSchema } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type { FaultSwitch } from "@smartcart/mesh";
import { describeFaultSwitch } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Attention } from "./attention.ts";
import { asleepMs } from "./attention.ts";
import type { EdgeRates } from "./edges.ts";
import { edgesOf, keyOf } from "./edges.ts";
import type { Feed } from "./feed.ts";
import type { HopWatch } from "./hop-watch.ts";
import { serviceNames } from "./instance-addresses.ts";
import type { InstanceWatch } from "./instance-watch.ts";
import type { QueueWatch } from "./queue-watch.ts";
import { consumptionOf, faultSwitchesOf, ordersOf, stateOf } from "./service-states.ts";

/** The mesh, watched. */
export interface MeshWatch extends AsyncDisposable {
  /** The snapshots of the given period, oldest first, at least the latest one; empty if no console was open recently. */
  past(seconds: number): readonly MeshSnapshot[];
}

interface MeshWatchOptions {
  readonly watches: readonly InstanceWatch[];
  readonly queues: QueueWatch;
  /** The ops service's own; empty outside of demo mode. */
  readonly faultSwitches: readonly FaultSwitch[];
  readonly hops: HopWatch;
  /** Gets every snapshot. */
  readonly feed: Feed<MeshSnapshot>;
  readonly attention: Attention;
  readonly log: Logger;
}

/** Snapshots that are remembered, one per second. */
const remembered = 300;
/** An older snapshot than this is from before a sleep, in milliseconds. */
const freshMs = 5_000;
/** What the services need to report for the first time, in milliseconds: a snapshot before that would show them as away. */
const firstReportsMs = 1_000;
const idle = { ratePerSecond: 0, errorsPerSecond: 0, p50Ms: 0, p99Ms: 0 };

/** Takes a snapshot per second while a console is open, and none otherwise. Memory: 300 snapshots. */
export function startMeshWatch(o: MeshWatchOptions): MeshWatch {
  const history: MeshSnapshot[] = [];
  /** An edge stays once it was seen, with nothing on it. */
  const edges = new Map<string, EdgeRates>();

  function take(): MeshSnapshot {
    const tracks = o.watches.map((watch) => ({ service: watch.service, track: watch.track() }));
    const services = serviceNames.map((service) => ({
      service,
      reports: tracks
        .filter((one) => one.service === service)
        .map(({ track }) => track.at(-1)?.report),
    }));
    for (const [key, edge] of edges) edges.set(key, { ...edge, ...idle });
    for (const edge of edgesOf(tracks.map(({ track }) => track))) edges.set(keyOf(edge), edge);
    return create(MeshSnapshotSchema, {
      takenAt: timestampFromMs(Date.now()),
      services: services.map(stateOf),
      edges: [...edges.values()],
      queues: o.queues.states().map((state) => ({
        ...state,
        ...consumptionOf(state.queue ?? "", services, [...edges.values()]),
      })),
      orders: ordersOf(services),
      faultSwitches: [
        ...faultSwitchesOf(services),
        ...o.faultSwitches.map((one) => describeFaultSwitch("ops", one)),
      ],
    });
  }

  const timer = startTimer({
    name: "ops.snapshot",
    intervalMs: 1_000,
    longestMs: asleepMs,
    log: o.log,
    async run() {
      if (!o.attention.isAwake()) return Number.POSITIVE_INFINITY;
      const snapshot = take();
      if (history.push(snapshot) > remembered) history.shift();
      o.feed.publish({ ...snapshot, hops: o.hops.take().map((hop) => create(HopSchema, hop)) });
      return 0;
    },
  });
  o.attention.onAwake(() => timer.runWithin(firstReportsMs));

  return {
    past(seconds) {
      const since = (ms: number) =>
        history.filter(({ takenAt }) => takenAt && timestampMs(takenAt) >= Date.now() - ms);
      const recent = since(seconds * 1_000);
      return recent.length > 0 ? recent : since(freshMs).slice(-1);
    },
    [Symbol.asyncDispose]: () => timer[Symbol.asyncDispose](),
  };
}
