/** The figures of each minute, kept for a day: also of those in which no console was open, at one report per process. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { EventBus } from "@smartcart/bus";
import type { InstanceReport } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { MeshMinute } from "@smartcart/gen/ops/v1/ops_service_pb";
import { MeshMinuteSchema } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Track } from "./edges.ts";
import { edgesOf } from "./edges.ts";
import type { InstanceWatch } from "./instance-watch.ts";
import { ordersOf } from "./service-states.ts";

interface MinuteWatchOptions {
  readonly watches: readonly InstanceWatch[];
  readonly bus: Pick<EventBus, "depths">;
  /** Keeps a minute. */
  readonly store: (minute: MeshMinute) => Promise<void>;
  readonly log: Logger;
  /** Default: a minute, in milliseconds. */
  readonly intervalMs?: number;
}

/** Longest wait for the report of a process, in milliseconds. */
const reportMs = 3_000;

/** Asks every process for a report once per minute, console or not. The first minute after the start is not stored: rates need two reports. */
export function startMinuteWatch(o: MinuteWatchOptions): AsyncDisposable {
  const { watches, intervalMs = 60_000 } = o;
  let before = new Map<InstanceWatch, Track>();

  async function take(signal: AbortSignal): Promise<void> {
    const reports = await Promise.all(watches.map((watch) => reportOf(watch, signal)));
    const atMs = performance.now();
    const now = new Map<InstanceWatch, Track>();
    for (const [index, watch] of watches.entries()) {
      const report = reports[index];
      if (report !== undefined) now.set(watch, [{ atMs, report }]);
    }
    const tracks = [...now].map(([watch, track]) => sinceBefore(before.get(watch) ?? [], track));
    // The first reports only say where counting began.
    const isFirst = before.size === 0;
    before = now;
    if (isFirst) return;
    const client = edgesOf(tracks).filter(({ from }) => from === "client");
    const minute = create(MeshMinuteSchema, {
      // It has just ended.
      beginsAt: timestampFromMs(Math.floor(Date.now() / intervalMs - 0.5) * intervalMs),
      orders: ordersOf(watches.map(({ service }, at) => ({ service, reports: [reports[at]] }))),
      clientRatePerSecond: client.reduce((sum, { ratePerSecond }) => sum + ratePerSecond, 0),
      clientP99Ms: Math.max(0, ...client.map(({ p99Ms }) => p99Ms)),
      deadLetters: await deadLettersOf(o.bus),
    });
    await o.store(minute);
  }

  return startTimer({
    name: "ops.minutes",
    intervalMs: Math.min(intervalMs, 1_000),
    longestMs: intervalMs,
    log: o.log,
    async run(signal) {
      await take(signal);
      return intervalMs - (Date.now() % intervalMs);
    },
  });
}

/** Both reports, where they are of one process: what was counted between them is what happened in the minute. */
function sinceBefore(before: Track, now: Track): Track {
  const isSame = before[0]?.report.instanceId === now[0]?.report.instanceId;
  return isSame ? [...before, ...now] : now;
}

/** The present report; undefined where the process does not answer. */
async function reportOf(
  { client }: InstanceWatch,
  signal: AbortSignal,
): Promise<InstanceReport | undefined> {
  const enough = AbortSignal.any([signal, AbortSignal.timeout(reportMs)]);
  try {
    for await (const { report } of client.watchInstance({}, { signal: enough })) return report;
  } catch {
    // It is away, which the minute shows.
  }
  return undefined;
}

async function deadLettersOf(bus: Pick<EventBus, "depths">): Promise<bigint> {
  const depths = Object.entries(await bus.depths().catch(() => ({})));
  const dead = depths.filter(([name]) => name.endsWith(".dlq"));
  return BigInt(dead.reduce((sum, [, depth]) => sum + depth, 0));
}
