/** The measurement of a run, from the reports of its processes. Pure. */
import type { ClientReport, ConnectResult } from "./clients.ts";
import type { HubContenderName } from "./contenders.ts";
import type { PublishResult } from "./orders.ts";

/** What was read during a run. */
export interface HubReadings {
  readonly contender: HubContenderName;
  readonly sockets: number;
  readonly published: PublishResult;
  readonly clients: readonly ClientReport[];
  /** Wall time from the first publish until the last status arrived or was given up. */
  readonly elapsedMs: number;
  /** Processors of this machine. */
  readonly processors: number;
  readonly hubCpuMs: number;
  readonly clientsCpuMs: number;
  readonly residentBytes: {
    readonly withoutSockets: number;
    readonly connected: number;
    readonly afterOrders: number;
  };
  readonly reconnected: readonly ConnectResult[];
  /** Whether the hub that all sockets came to at once was still the same process at the end. */
  readonly survived: boolean;
}

export interface HubMeasurement {
  readonly contender: HubContenderName;
  readonly sockets: number;
  readonly sent: number;
  readonly delivered: number;
  readonly sentPerSecond: number;
  /** Statuses to the wrong socket, out of order or twice, and sockets that were closed. */
  readonly faults: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the hub over the statuses that it delivered. */
  readonly cpuMicrosPerStatus: number;
  readonly bytesPerSocket: number;
  /** The same when the orders have passed. */
  readonly bytesPerSocketAfterOrders: number;
  /** The clients' part of all processors while orders came. */
  readonly clientsShare: number;
  readonly caughtUp: number;
  readonly catchUpP50Ms: number;
  readonly catchUpP99Ms: number;
  readonly catchUpRetries: number;
  readonly survived: boolean;
}

export function toMeasurement(r: HubReadings): HubMeasurement {
  const delaysMs = r.clients.flatMap((client) => client.delaysMs);
  const caughtUpMs = r.reconnected.flatMap((part) => part.caughtUpMs);
  const delivered = sum(r.clients.map((client) => client.statuses));
  const perSocket = (bytes: number) => (bytes - r.residentBytes.withoutSockets) / r.sockets;
  return {
    contender: r.contender,
    sockets: r.sockets,
    sent: r.published.statuses,
    delivered,
    sentPerSecond: r.published.statuses / (r.published.elapsedMs / 1_000),
    faults: sum(r.clients.map(faultsOf)),
    p50Ms: percentile(delaysMs, 50),
    p99Ms: percentile(delaysMs, 99),
    cpuMicrosPerStatus: (r.hubCpuMs * 1_000) / delivered,
    bytesPerSocket: perSocket(r.residentBytes.connected),
    bytesPerSocketAfterOrders: perSocket(r.residentBytes.afterOrders),
    clientsShare: r.clientsCpuMs / (r.elapsedMs * r.processors),
    caughtUp: caughtUpMs.length,
    catchUpP50Ms: percentile(caughtUpMs, 50),
    catchUpP99Ms: percentile(caughtUpMs, 99),
    catchUpRetries: sum(r.reconnected.map((part) => total(part.retries))),
    survived: r.survived && caughtUpMs.length === r.sockets,
  };
}

function faultsOf({ misdelivered, disordered, lost }: ClientReport): number {
  return misdelivered + disordered + total(lost);
}

/** The smallest value that so many per cent of all do not exceed; NaN where there is none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

function total(counts: Readonly<Record<string, number>>): number {
  return sum(Object.values(counts));
}

function sum(values: readonly number[]): number {
  return values.reduce((so, value) => so + value, 0);
}
