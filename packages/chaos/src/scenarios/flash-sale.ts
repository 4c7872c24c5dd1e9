/** A flash sale: all customers order the same product at once, and there are few units. */

import type { LoadFindings } from "../load/load.ts";
import { startLoad } from "../load/load.ts";
import { solventMix } from "../load/load-mix.ts";
import type { OrderWish } from "../load/shopper.ts";
import type { Percentiles } from "../numbers.ts";
import { countBy, percentiles } from "../numbers.ts";
import { createRandom } from "../random.ts";
import { openAdminDatabase } from "../system/admin-database.ts";
import { openEnvironment } from "../system/environment.ts";
import type { Infrastructure } from "../system/infrastructure.ts";
import type { Replicas } from "../system/system-topology.ts";
import { invariants } from "../verification/invariants.ts";
import type { Finding, Verdict } from "../verification/report.ts";
import {
  find,
  formatVerdict,
  noProcessGaveUp,
  span,
  table,
  withFindings,
} from "../verification/report.ts";
import { verify } from "../verification/verifier.ts";

interface FlashSaleOptions {
  readonly seed: number;
  readonly infrastructure: Infrastructure;
  /** Logs and histories are written there. */
  readonly directory: string;
  readonly replicas: Replicas;
  /** Customers; each orders one unit. */
  readonly buyers: number;
  readonly units: number;
  readonly restBoundMs: number;
}

interface FlashSaleReport extends Verdict {
  readonly buyers: number;
  readonly units: number;
  /** From a buyer's first request to the first answer of any kind, and to the decision, in milliseconds. */
  readonly firstAnswerMs: Percentiles;
  readonly decisionMs: Percentiles;
  /** Final answers by status or problem code. */
  readonly decisions: Readonly<Record<string, number>>;
  readonly ordersPerSecond: number;
}

const product = "flash-sale";
/** More connections would only wait in other queues; the other buyers start as these finish. */
const maxConnections = 1_000;
/** An order that a buyer polls may have progressed beyond CONFIRMED. */
const soldStates = new Map(["SHIPPING", "SHIPPED"].map((state) => [state, "CONFIRMED"]));
/** Long, because a repeated request adds load and tests nothing here. */
const requestTimeoutMs = 60_000;

/** Expects that min(buyers, units) orders are confirmed, all others are OUT_OF_STOCK, and no request fails but with 409 or 429. */
export async function runFlashSale(o: FlashSaleOptions): Promise<FlashSaleReport> {
  const deadlocksBefore = await countDeadlocks(o.infrastructure);
  const { seed, buyers, units, restBoundMs } = o;
  const report = await sell(o);
  // A session adds its deadlocks to the statistics when it ends, so that this must run after the system has stopped.
  const deadlocks = (await countDeadlocks(o.infrastructure)) - deadlocksBefore;
  const found = find(
    "no deadlock",
    "However many customers buy at once, no transaction is rolled back because of a deadlock.",
    deadlocks === 0 ? [] : [{ deadlocks }],
  );
  return { ...report, ...withFindings(report, [found]) };

  async function sell({ infrastructure }: FlashSaleOptions): Promise<FlashSaleReport> {
    // The usual time, since nothing is being broken here.
    await using environment = await openEnvironment({
      ...o,
      preload: [],
      env: { RESERVATION_TTL_MS: "" },
    });
    const { system, history } = environment;
    await using database = openAdminDatabase(infrastructure);
    for (const text of putOnSale) await database.query({ text, values: [product, units] });
    const load = startLoad({
      url: system.orderUrl,
      history,
      orders: buyers,
      ratePerSecond: Number.POSITIVE_INFINITY,
      maxInFlight: maxConnections,
      mix: { ...solventMix, cancelShare: 0, replayShare: 0.05, watchShare: 0.01 },
      wish: (index) => wishOf(index, seed),
      followsPending: true,
      random: createRandom(seed).fork("load"),
      hubUrl: o.replicas["status-hub"] > 0 ? system.hubUrl : undefined,
      requestTimeoutMs,
    });
    await load.finished;
    const verdict = await verify(environment, {
      seed,
      load,
      invariants: [...invariants, ...invariantsOf(buyers, units)],
      calmSince: performance.now(),
      restBoundMs,
    });
    const { placed, decided } = load.findings;
    return {
      ...withFindings(verdict, [noProcessGaveUp(verdict), onlyExpectedErrors(load.findings)]),
      buyers,
      units,
      firstAnswerMs: percentiles(placed.flatMap(({ answer }) => answer?.firstMs ?? [])),
      decisionMs: percentiles(decided.map(({ tookMs }) => tookMs)),
      decisions: countBy(decided.map(({ says }) => soldStates.get(says) ?? says)),
      ordersPerSecond: (decided.length * 1_000) / verdict.loadMs,
    };
  }
}

const putOnSale = [
  `insert into inventory.product (product_id, name, description, category, emoji, currency_code, price_minor)
   select $1::text, 'Flash Sale', 'While stocks last.', 'Coffee', '⚡', 'USD', 9900 where $2::int > 0`,
  "insert into inventory.stock (product_id, initial, available) values ($1::text, $2::int, $2::int)",
];

function wishOf(index: number, seed: number): OrderWish {
  return {
    key: `flash-${seed}-${index}`,
    body: {
      userId: `buyer-${index}`,
      items: [{ productId: product, quantity: 1 }],
      address: `${index} Harbour Road`,
      paymentToken: "tok_visa",
    },
  };
}

const invariantsOf = (buyers: number, units: number) => [
  {
    name: "exactly the units are sold",
    description:
      "As many orders are confirmed as there are units, or buyers; all others are rejected for want of stock.",
    sql: `
      select * from (
        select count(*) filter (where state = 'SHIPPED') as sold,
          count(*) filter (where state = 'REJECTED' and rejection->>'code' = 'OUT_OF_STOCK') as rejected
        from orders.orders) o
      where sold <> ${Math.min(buyers, units)} or rejected <> ${Math.max(0, buyers - units)}`,
  },
  {
    name: "the stock is empty",
    description: "Every unit is sold, and none is left or set aside.",
    sql: `
      select * from inventory.stock_level where product_id = '${product}'
        and (available <> ${Math.max(0, units - buyers)} or held <> 0 or committed <> ${Math.min(buyers, units)})`,
  },
];

/** Exported for its test. */
export function onlyExpectedErrors({ repeated }: Pick<LoadFindings, "repeated">): Finding {
  const errors = countBy(repeated.flatMap(({ reasons }) => reasons));
  return find(
    "no error but 409 and 429",
    "A customer that has to wait receives 429: no request gets a 5xx, a time-out or a broken connection.",
    Object.entries(errors)
      .filter(([reason]) => !/^(409|429) /.test(reason))
      .map(([reason, count]) => ({ reason, count })),
  );
}

async function countDeadlocks(infrastructure: Infrastructure): Promise<number> {
  await using database = openAdminDatabase(infrastructure);
  const { rows } = await database.query<{ deadlocks: string }>({
    text: "select deadlocks from pg_stat_database where datname = current_database()",
  });
  return Number(rows[0]?.deadlocks);
}

/** The report in one line. */
export function summarizeFlashSale(report: FlashSaleReport): string {
  const { seed, buyers, units, decisions } = report;
  const told = Object.entries(decisions).map(([says, count]) => `${count} ${says}`);
  return `flash sale, seed ${seed}: ${buyers} buyers, ${units} units, ${told.join(", ")}`;
}

/** The report as text. */
export function formatFlashSale(report: FlashSaleReport): string {
  return formatVerdict(report, [
    ...table("told in the end", report.decisions),
    `flash sale   ${report.buyers} buyers, ${report.units} units, ${report.ordersPerSecond.toFixed(0)} orders per second`,
    `first answer ${span(report.firstAnswerMs)}`,
    `decision     ${span(report.decisionMs)}`,
  ]);
}
