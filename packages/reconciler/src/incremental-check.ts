/**
 * Checks the invariants at a cost that does not grow with the number of stored orders. Each look reads the orders placed since the last
 * one, those with violations then, and one slice of all others, so that a sweep of many looks covers every order. The reserved units of
 * each product are added up slice by slice, and compared with the stock when a sweep is complete. One slice of the products is compared
 * with their ledger.
 */
import type { Database, Queryable } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { Violation } from "./check.ts";
import { check } from "./check.ts";
import type { Invariant } from "./invariant.ts";
import { createInvariants } from "./invariants.ts";
import type { IdRange, OrderSelection } from "./order-selection.ts";
import { selects } from "./order-selection.ts";

interface IncrementalCheckOptions {
  readonly database: Database;
  /** Time that an order or an event may be in progress before it counts as stuck, in milliseconds. */
  readonly settleMs: number;
  /** Orders, and products, per slice of the sweep. Default 1,000, which take about 0.1 s of PostgreSQL's time. */
  readonly sliceSize?: number;
  /** Age of the oldest orders that the first call reads, in milliseconds. Default 600,000 (ten minutes). */
  readonly firstLookMs?: number;
}

/** A check whose cost does not grow with the number of stored orders. */
export interface IncrementalCheck {
  /** The known violations. Reads the orders placed since the last call, and a bounded number of others. */
  look(nowMs: number): Promise<readonly Violation[]>;
}

/** Nearly all orders that are older than this have ended; see `nextSlice`. */
const unsettledMs = 60_000;

/** Most orders, and products, that are checked again because of violations in the last look. */
const maxSuspects = 500;

interface Sweep {
  /** The next slice begins here. */
  readonly from: string;
  /** Units by product in the slices so far. */
  readonly units: ReadonlyMap<string, number>;
}

const newSweep: Sweep = { from: "", units: new Map() };

/** Starts with the orders of the last `firstLookMs`; older ones follow slice by slice. */
export function createIncrementalCheck(o: IncrementalCheckOptions): IncrementalCheck {
  const { database, settleMs, sliceSize = 1_000, firstLookMs = 600_000 } = o;
  let lookedUpToMs: number | undefined;
  let sweep = newSweep;
  let suspects: readonly string[] = [];
  let unsettledStock: readonly Violation[] = [];
  let productsFrom = "";
  let suspectProducts: readonly string[] = [];

  return {
    async look(nowMs) {
      const fromMs = lookedUpToMs ?? nowMs - firstLookMs;
      // Younger orders are still in progress; later looks read them.
      const toMs = Math.max(fromMs, nowMs - settleMs);
      const slice = await nextSlice(database, sweep.from, sliceSize, nowMs);
      const nextOnes = await nextProducts(database, productsFrom, sliceSize);
      const products: OrderSelection = { ranges: [nextOnes], ids: suspectProducts };
      const recent = { from: idAt(fromMs), to: idAt(toMs) };
      const orders: OrderSelection = { ranges: [slice, recent], ids: suspects };
      const invariants = createInvariants({ settleMs, orders, products }).filter(
        (one) => !one.readsAll,
      );
      const violations = await check(database, invariants);
      if (slice.to === undefined) {
        unsettledStock = await compareStock(database, settleMs, sweep.units, slice);
        sweep = newSweep;
      } else {
        sweep = { from: slice.to, units: await addUp(database, sweep.units, slice) };
      }
      productsFrom = nextOnes.to ?? "";
      lookedUpToMs = toMs;
      suspects = suspectsOf(violations, "order_id");
      suspectProducts = suspectsOf(violations, "product_id");
      return [...violations, ...unsettledStock];
    },
  };
}

/** The smallest id that an order placed at that time can have: "ORD-" and a ULID, whose first ten characters are the time. */
export function idAt(ms: number): string {
  const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  let rest = Math.max(0, Math.floor(ms));
  let time = "";
  for (let place = 0; place < 10; place += 1) {
    time = `${digits[rest % 32]}${time}`;
    rest = Math.floor(rest / 32);
  }
  return `ORD-${time}`;
}

/**
 * A slice of so many orders. The last one has no end and reaches back a minute: orders that may still change are added up at the moment
 * at which the sum is compared.
 */
async function nextSlice(
  db: Queryable,
  from: string,
  size: number,
  nowMs: number,
): Promise<IdRange> {
  const { rows } = await db.query<{ order_id: string }>({
    name: "reconciler.end-of-slice",
    text: `select order_id from orders.orders where order_id >= $1
           order by order_id offset $2 limit 1`,
    values: [from, size],
  });
  const to = rows[0]?.order_id;
  return to === undefined || to >= idAt(nowMs - unsettledMs) ? { from } : { from, to };
}

/** The next products in the order of their ids; after the last ones come the first again. */
async function nextProducts(db: Queryable, from: string, size: number): Promise<IdRange> {
  const { rows } = await db.query<{ product_id: string }>({
    name: "reconciler.end-of-products",
    text: `select product_id from inventory.stock where product_id >= $1
           order by product_id offset $2 limit 1`,
    values: [from, size],
  });
  return { from, to: rows[0]?.product_id };
}

async function addUp(
  db: Queryable,
  before: ReadonlyMap<string, number>,
  slice: IdRange,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ product_id: string; units: string }>({
    text: `select line->>'productId' as product_id, sum((line->>'quantity')::int) as units
           from inventory.reservation, jsonb_array_elements(lines) line
           where status in ('HELD', 'COMMITTED')
             and ${selects("reservation_id", { ranges: [slice], ids: [] })} group by 1`,
  });
  const units = new Map(before);
  for (const row of rows) {
    units.set(row.product_id, (units.get(row.product_id) ?? 0) + Number(row.units));
  }
  return units;
}

/**
 * Compares the sum of a sweep with the stock. A reservation of an older slice may have been released meanwhile: on a difference
 * everything is added up again in one snapshot.
 */
async function compareStock(
  database: Database,
  settleMs: number,
  before: ReadonlyMap<string, number>,
  lastSlice: IdRange,
): Promise<readonly Violation[]> {
  const isSuspect = await withTransaction(database, "reconciler.stock", async (tx) => {
    await tx.query({ text: "set transaction isolation level repeatable read, read only" });
    const units = await addUp(tx, before, lastSlice);
    const { rows } = await tx.query<{ product_id: string; reserved: number }>({
      text: "select product_id, reserved from inventory.stock where reserved <> 0",
    });
    const stock = new Map(rows.map((row) => [row.product_id, row.reserved]));
    const products = [...new Set([...units.keys(), ...stock.keys()])];
    return products.some((product) => (units.get(product) ?? 0) !== (stock.get(product) ?? 0));
  });
  return isSuspect ? check(database, createInvariants({ settleMs }).filter(readsAll)) : [];
}

function readsAll(invariant: Invariant): boolean {
  return invariant.readsAll === true;
}

function suspectsOf(violations: readonly Violation[], column: "order_id" | "product_id"): string[] {
  const ids = violations.flatMap(({ rows }) => rows.map((row) => row[column]));
  return [...new Set(ids.filter((id) => typeof id === "string"))].slice(0, maxSuspects);
}
