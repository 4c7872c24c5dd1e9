/** Medians of all rounds as a table, with ratios to socket.io. */
import { median } from "../report.ts";
import type { HubMeasurement } from "./result.ts";

const columns = [
  "hub",
  "delivered / sent",
  "faults",
  "statuses/s",
  "p50 ms",
  "p99 ms",
  "CPU µs a status",
  "× socket.io",
  "KiB a socket",
  "× socket.io",
  "KiB a socket after orders",
  "clients' share of CPU",
  "reconnect: caught up",
  "p50 s",
  "p99 s",
];

/** A row for each contender, in the order of their first measurement. */
export function hubTable(measurements: readonly HubMeasurement[]): string {
  const groups = Map.groupBy(measurements, ({ contender }) => contender);
  const peers = groups.get("socket.io") ?? [];
  const rows = [...groups.values()].map((rounds) => row(rounds, peers));
  const header = columns.join(" | ");
  return [header, columns.map(() => "---").join(" | "), ...rows]
    .map((line) => `| ${line} |`)
    .join("\n");
}

function row(rounds: readonly HubMeasurement[], peers: readonly HubMeasurement[]): string {
  const of = (value: (m: HubMeasurement) => number, among = rounds) => median(among.map(value));
  const ratio = (value: (m: HubMeasurement) => number) =>
    peers.length > 0 ? (of(value) / of(value, peers)).toFixed(2) : "";
  const sum = (value: (m: HubMeasurement) => number) =>
    rounds.reduce((so, round) => so + value(round), 0);
  const survived = rounds.filter((round) => round.survived).length;
  return [
    rounds[0]?.contender,
    `${sum((m) => m.delivered)} / ${sum((m) => m.sent)}`,
    sum((m) => m.faults),
    of((m) => m.sentPerSecond).toFixed(0),
    of((m) => m.p50Ms).toFixed(0),
    of((m) => m.p99Ms).toFixed(0),
    of((m) => m.cpuMicrosPerStatus).toFixed(0),
    ratio((m) => m.cpuMicrosPerStatus),
    (of((m) => m.bytesPerSocket) / 1_024).toFixed(1),
    ratio((m) => m.bytesPerSocket),
    (of((m) => m.bytesPerSocketAfterOrders) / 1_024).toFixed(1),
    `${(of((m) => m.clientsShare) * 100).toFixed(0)} %`,
    `${survived} of ${rounds.length}`,
    (of((m) => m.catchUpP50Ms) / 1_000).toFixed(1),
    (of((m) => m.catchUpP99Ms) / 1_000).toFixed(1),
  ].join(" | ");
}
