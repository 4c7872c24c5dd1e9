/** `npm run bench -- growth`: the cost of an order with more products, more lines and more replicas. */
import { join } from "node:path";
import { startEngines } from "./engines.ts";
import type { Measurement } from "./measure.ts";
import { measure } from "./measure.ts";
import { costCells, markdownTable } from "./report.ts";

interface GrowthOptions {
  readonly directory: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** Told of the progress. */
  readonly print: (text: string) => void;
}

/** One thing at a time grows; the others are those of the first row of the benchmark. */
const cases = [
  ...[10, 100, 1_000, 10_000].map((products) => ({ products, lines: 2, replicas: 0 })),
  ...[1, 10, 50].map((lines) => ({ products: 100, lines, replicas: 0 })),
  ...[1, 2, 4].map((replicas) => ({ products: 100, lines: 2, replicas })),
];

export async function measureGrowth(o: GrowthOptions): Promise<string> {
  await using engines = await startEngines(o.directory);
  const rows: (readonly (string | number)[])[] = [];
  for (const { products, lines, replicas } of cases) {
    const measurements: Measurement[] = [];
    for (let round = 1; round <= o.rounds; round += 1) {
      const measurement = await measure(
        // Replicas are processes, of the services that take and ship orders.
        replicas > 0 ? "services" : "embedded",
        { products, lines, connections: o.connections },
        {
          engines,
          directory: join(o.directory, `${products}-${lines}-${replicas}`),
          seconds: o.seconds,
          warmUpSeconds: 2,
          seed: round,
          profile: false,
          replicas: Math.max(1, replicas),
        },
      );
      measurements.push(measurement);
    }
    const { rate, p99, cpu, rows: changed, wal, broken } = costCells(measurements);
    o.print(`${products} products, ${lines} lines, ${replicas || "no"} replicas: ${rate}/s`);
    const varied = [products.toLocaleString("en"), lines, replicas || "one process"];
    rows.push([...varied, rate, p99, cpu, changed, wal, broken]);
  }
  return markdownTable(
    ["products", "lines", "replicas", "orders/s", "p99", "CPU an order", "rows", "WAL", "broken"],
    rows,
  );
}
