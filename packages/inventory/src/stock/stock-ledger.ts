/** Units of one product. */
export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** A counter of a product: units that are available, or units that a reservation holds or has sold. */
export type Pocket = "available" | "reserved";

/** The change of one product's pockets. The two add up to 0, so `initial` stays what it is. */
export interface StockMove {
  readonly productId: string;
  readonly available: number;
  readonly reserved: number;
}

/** A line that cannot be reserved. `available` is the number of units at the time of the decision. */
export interface ShortLine {
  readonly productId: string;
  readonly requested: number;
  readonly available: number;
}

/**
 * A scratch copy of some products' stock on which a batch of requests is decided one after the other, each seeing
 * what the ones before it took. Pure: it is written to the database as the sum of its moves.
 */
export interface StockLedger {
  /** The lines of which less than asked for is available; a product that is not in the catalogue has 0. */
  shortages(lines: readonly Line[]): ShortLine[];
  /** Moves the units of all lines from one pocket to another. */
  move(lines: readonly Line[], from: Pocket, to: Pocket): void;
  /** The sum of all moves, one entry a product that changed, ordered by product. */
  moves(): StockMove[];
}

/** Creates a ledger from the units available per product. */
export function createStockLedger(available: ReadonlyMap<string, number>): StockLedger {
  const changes = new Map<string, Record<Pocket, number>>();
  const left = (productId: string) =>
    (available.get(productId) ?? 0) + (changes.get(productId)?.available ?? 0);

  return {
    shortages: (lines) =>
      totals(lines)
        .map(({ productId, quantity }) => ({
          productId,
          requested: quantity,
          available: left(productId),
        }))
        .filter((line) => line.available < line.requested),
    move(lines, from, to) {
      for (const { productId, quantity } of lines) {
        const change = changes.get(productId) ?? { available: 0, reserved: 0 };
        change[from] -= quantity;
        change[to] += quantity;
        changes.set(productId, change);
      }
    },
    moves: () =>
      [...changes]
        .map(([productId, change]) => ({ productId, ...change }))
        .filter((move) => move.available !== 0)
        .sort((a, b) => (a.productId < b.productId ? -1 : 1)),
  };
}

/** Adds up lines of the same product, in the order in which the products first appear. */
export function totals(lines: readonly Line[]): Line[] {
  const sums = new Map<string, number>();
  for (const { productId, quantity } of lines) {
    sums.set(productId, (sums.get(productId) ?? 0) + quantity);
  }
  return [...sums].map(([productId, quantity]) => ({ productId, quantity }));
}
