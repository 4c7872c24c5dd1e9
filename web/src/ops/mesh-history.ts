import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Edge, MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";

/** What the curves need of a moment. */
export interface Sample {
  readonly atMs: number;
  /** Orders in progress, by state. */
  readonly states: ReadonlyMap<string, number>;
  /** Calls a second from outside. */
  readonly outsideRate: number;
  /** Slowest of those, without the slowest hundredth, in milliseconds. */
  readonly outsideP99Ms: number;
}

/** The mesh now, and its past minutes. */
export interface MeshHistory {
  /** Undefined before the first snapshot. */
  readonly latest: MeshSnapshot | undefined;
  /** Oldest first, at most `maxSamples`. */
  readonly samples: readonly Sample[];
}

/** Five minutes of one per second. */
export const maxSamples = 300;

export const emptyHistory: MeshHistory = { latest: undefined, samples: [] };

/** Takes snapshots in. Those that are not newer than what is there are dropped, since a new connection repeats the past. */
export function addSnapshots(
  history: MeshHistory,
  snapshots: readonly MeshSnapshot[],
): MeshHistory {
  const last = history.samples.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
  const fresh = snapshots.filter((snapshot) => takenAtMs(snapshot) > last);
  if (fresh.length === 0) return history;
  return {
    latest: fresh.at(-1),
    samples: [...history.samples, ...fresh.map(sampleOf)].slice(-maxSamples),
  };
}

/** The calls from outside, all together: rates add up, of the quantiles the worst counts. */
export function outside(edges: readonly Edge[]): {
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
} {
  const calls = edges.filter((edge) => edge.from === "client");
  return {
    rate: calls.reduce((sum, edge) => sum + edge.ratePerSecond, 0),
    p50Ms: Math.max(0, ...calls.map((edge) => edge.p50Ms)),
    p99Ms: Math.max(0, ...calls.map((edge) => edge.p99Ms)),
  };
}

export function takenAtMs({ takenAt }: MeshSnapshot): number {
  return takenAt ? timestampMs(takenAt) : 0;
}

function sampleOf(snapshot: MeshSnapshot): Sample {
  const { rate, p99Ms } = outside(snapshot.edges);
  return {
    atMs: takenAtMs(snapshot),
    states: new Map(snapshot.orders.map(({ state, count }) => [state, Number(count)])),
    outsideRate: rate,
    outsideP99Ms: p99Ms,
  };
}
