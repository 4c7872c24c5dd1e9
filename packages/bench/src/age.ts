/** `npm run bench -- age`: the cost of an order and the time to start, with few and with many stored orders. */
import { join } from "node:path";
import type { ContenderName } from "./contenders.ts";
import { startContender } from "./contenders.ts";
import { startEngines } from "./engines.ts";
import { storeFinishedOrders } from "./finished-orders.ts";
import type { Measurement } from "./measure.ts";
import { measure } from "./measure.ts";
import { costCells, markdownTable } from "./report.ts";

interface AgeOptions {
  readonly directory: string;
  readonly contender: ContenderName;
  /** How many orders are stored before. */
  readonly stored: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** Told of the progress. */
  readonly print: (text: string) => void;
}

const products = 100;

export async function measureAge(o: AgeOptions): Promise<string> {
  await using engines = await startEngines(o.directory);
  const shops: { stored: number; databaseUrl: string; measurements: Measurement[] }[] = [];
  for (const stored of o.stored) {
    const databaseUrl = await engines.createDatabase(`age_${stored}`);
    const directory = join(o.directory, `age-${stored}`);
    const start = { engines, directory, products, profile: false, databaseUrl };
    // Makes the tables.
    await (await startContender(o.contender, start))[Symbol.asyncDispose]();
    await storeFinishedOrders(databaseUrl, stored, products, o.print);
    shops.push({ stored, databaseUrl, measurements: [] });
  }
  for (let round = 1; round <= o.rounds; round += 1) {
    for (const { stored, databaseUrl, measurements } of shops) {
      const measurement = await measure(
        o.contender,
        { products, lines: 2, connections: o.connections },
        {
          engines,
          directory: join(o.directory, `age-${stored}`),
          seconds: o.seconds,
          warmUpSeconds: 2,
          seed: round,
          profile: false,
          databaseUrl,
        },
      );
      measurements.push(measurement);
      o.print(
        `round ${round}: ${stored} stored orders, ${measurement.ordersPerSecond.toFixed(0)}/s`,
      );
    }
  }
  return table(shops);
}

function table(
  shops: readonly { readonly stored: number; readonly measurements: readonly Measurement[] }[],
): string {
  return markdownTable(
    [
      "stored orders",
      "ready in",
      "orders/s",
      "p99",
      "CPU an order",
      "of it PostgreSQL",
      "rows",
      "WAL",
      "broken",
    ],
    shops.map(({ stored, measurements }) => {
      const cost = costCells(measurements);
      return [
        stored.toLocaleString("en"),
        cost.ready,
        cost.rate,
        cost.p99,
        cost.cpu,
        cost.postgres,
        cost.rows,
        cost.wal,
        cost.broken,
      ];
    }),
  );
}
