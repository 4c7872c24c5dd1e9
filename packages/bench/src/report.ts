/** Medians of all rounds as a table, with ratios to the two peers. */
import type { ContenderName } from "./contenders.ts";
import type { Measurement } from "./measure.ts";

/** A row for each contender and scenario, in the order of their first measurement. */
export function table(measurements: readonly Measurement[]): string {
  const groups = Map.groupBy(measurements, (m) =>
    [m.products, m.lines, m.connections, m.contender].join("|"),
  );
  const header =
    "| products | lines | connections | contender | orders/s | × seed | × durable | p50 ms | p99 ms | CPU ms per order | transactions | statements | rows | WAL bytes | messages | peak MB | failed | broken |";
  const rows = [...groups.values()].map((rounds) => row(rounds, measurements));
  return [header, header.replaceAll(/[^|]+/g, "---"), ...rows].join("\n");
}

function row(rounds: readonly Measurement[], all: readonly Measurement[]): string {
  const [first] = rounds as [Measurement];
  const of = (value: (m: Measurement) => number) => median(rounds.map(value));
  const rate = of((m) => m.ordersPerSecond);
  const versus = (peer: ContenderName) => {
    const peers = all.filter(
      (m) =>
        m.contender === peer &&
        m.connections === first.connections &&
        m.products === first.products &&
        m.lines === first.lines,
    );
    return peers.length > 0 ? (rate / median(peers.map((m) => m.ordersPerSecond))).toFixed(2) : "";
  };
  const cells = [
    first.products,
    first.lines,
    first.connections,
    first.contender,
    rate.toFixed(0),
    versus("seed"),
    versus("durable"),
    of((m) => m.p50Ms).toFixed(1),
    of((m) => m.p99Ms).toFixed(1),
    cpu(rounds),
    of((m) => m.perOrder.transactions).toFixed(2),
    of((m) => m.perOrder.statements).toFixed(2),
    of((m) => m.perOrder.rows).toFixed(1),
    of((m) => m.perOrder.walBytes).toFixed(0),
    of((m) => m.perOrder.messages).toFixed(1),
    of((m) => m.peakMemoryBytes / 2 ** 20).toFixed(0),
    rounds.reduce((sum, m) => sum + m.failed, 0),
    [...new Set(rounds.flatMap((m) => m.broken))].join(", ") || 0,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** "2.10 (smartcart 1.20, postgres 0.60, rabbitmq 0.30)" */
function cpu(rounds: readonly Measurement[]): string {
  const names = Object.keys(rounds[0]?.perOrder.cpuMs ?? {});
  const parts = names.map((name) => ({
    name,
    ms: median(rounds.map((m) => m.perOrder.cpuMs[name] ?? 0)),
  }));
  const total = parts.reduce((sum, { ms }) => sum + ms, 0);
  return `${total.toFixed(2)} (${parts.map(({ name, ms }) => `${name} ${ms.toFixed(2)}`).join(", ")})`;
}

/** The medians of what an order costs, as cells. */
export function costCells(measurements: readonly Measurement[]) {
  const of = (value: (one: Measurement) => number) => median(measurements.map(value));
  return {
    ready: `${(of((m) => m.readyMs) / 1_000).toFixed(1)} s`,
    rate: of((m) => m.ordersPerSecond).toFixed(0),
    p99: `${of((m) => m.p99Ms).toFixed(0)} ms`,
    cpu: `${of((m) => Object.values(m.perOrder.cpuMs).reduce((sum, ms) => sum + ms, 0)).toFixed(2)} ms`,
    postgres: `${of((m) => m.perOrder.cpuMs.postgres ?? 0).toFixed(2)} ms`,
    rows: of((m) => m.perOrder.rows).toFixed(1),
    wal: `${(of((m) => m.perOrder.walBytes) / 1_024).toFixed(1)} KB`,
    broken: [...new Set(measurements.flatMap((m) => m.broken))].join(", ") || 0,
  };
}

/** A table in Markdown. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The mean of the two middle values where their number is even; NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
