/** What went between the services, worked out from the counters that they report. Pure. */

import type { EdgeMetrics, InstanceReport } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { Edge } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";

/** A report of a process, and when it arrived. */
export interface Seen {
  readonly atMs: number;
  readonly report: InstanceReport;
}

/** What one process reported lately, oldest first; the last one is the latest. */
export type Track = readonly Seen[];

/** What went over an edge. */
export type EdgeRates = Omit<Edge, "$typeName" | "$unknown">;

/** Rates are those of this span. */
const spanMs = 5_000;

/** The track with one more report, without reports that are too old. A restarted process begins an empty track. */
export function follow(track: Track, seen: Seen): Track {
  const isSame = track.at(-1)?.report.instanceId === seen.report.instanceId;
  const all = isSame ? [...track, seen] : [seen];
  // The youngest one that is as old as the span is what the latest is compared with.
  const old = all.filter(({ atMs }) => atMs <= seen.atMs - spanMs).length;
  return all.slice(Math.max(0, old - 1));
}

/** The calls over one edge within the period, as reported by one or several processes. */
interface Sum {
  readonly flow: EdgeMetrics;
  rate: number;
  errorRate: number;
  count: number;
  readonly latency: number[];
}

/** Every edge that a process knows of. */
export function edgesOf(tracks: readonly Track[]): EdgeRates[] {
  const sums = new Map<string, Sum>();
  for (const track of tracks) {
    const [first, last] = [track[0], track.at(-1)];
    if (first === undefined || last === undefined) continue;
    for (const flow of last.report.edges) {
      const key = keyOf(flow);
      const sum = sums.get(key) ?? { flow, rate: 0, errorRate: 0, count: 0, latency: [] };
      sums.set(key, sum);
      const before = first.report.edges.find((one) => keyOf(one) === key);
      add(sum, flow, { before, seconds: (last.atMs - first.atMs) / 1000 });
    }
  }
  return [...sums.values()].map(toEdge);
}

/** The identity of an edge. */
export function keyOf({ from, to, kind }: Pick<Edge, "from" | "to" | "kind">): string {
  return `${from} ${to} ${kind}`;
}

function add(
  sum: Sum,
  flow: EdgeMetrics,
  since: { before: EdgeMetrics | undefined; seconds: number },
): void {
  const { before, seconds } = since;
  // A rate needs two reports: a single one has counts without a period.
  if (seconds <= 0) return;
  const count = Number(flow.count - (before?.count ?? 0n));
  sum.count += count;
  sum.rate += count / seconds;
  sum.errorRate += Number(flow.errors - (before?.errors ?? 0n)) / seconds;
  for (const [at, value] of flow.latencyCounts.entries()) {
    const more = Number(value - (before?.latencyCounts[at] ?? 0n));
    sum.latency[at] = (sum.latency[at] ?? 0) + more;
  }
}

function toEdge({ flow, rate, errorRate, count, latency }: Sum): EdgeRates {
  const { from, to, kind, latencyBoundsMs: bounds } = flow;
  const of = (share: number) => percentile(share, { counts: latency, bounds, total: count });
  const isTimed = bounds.length > 0;
  return {
    from,
    to,
    kind,
    ratePerSecond: rate,
    errorsPerSecond: errorRate,
    p50Ms: isTimed ? of(0.5) : 0,
    p99Ms: isTimed ? of(0.99) : 0,
  };
}

/**
 * The value that a share of all does not exceed, assumed to lie evenly within its bucket. Values beyond the last bound count
 * as the last bound.
 */
export function percentile(
  share: number,
  of: { counts: readonly number[]; bounds: readonly number[]; total: number },
): number {
  const rank = share * of.total;
  let below = 0;
  if (of.total <= 0) return 0;
  for (const [at, count] of of.counts.entries()) {
    const upper = of.bounds[at] ?? 0;
    const lower = of.bounds[at - 1] ?? 0;
    if (count > 0 && below + count >= rank) {
      return lower + (upper - lower) * ((rank - below) / count);
    }
    below += count;
  }
  return of.bounds.at(-1) ?? 0;
}
