/**
 * The contract of the inventory as a few sentences about reservations. Stock is not counted here but follows from them:
 * what is neither held nor sold is available. Nothing is shared with the code that it judges.
 */

export interface ModelLine {
  readonly productId: string;
  readonly quantity: number;
}

/** What a caller is told, as far as it does not depend on the clock. */
export type ModelAnswer =
  | { readonly status: ModelStatus; readonly lines: readonly ModelLine[] }
  | { readonly short: readonly { productId: string; requested: number; available: number }[] }
  | { readonly error: string };

export type ModelStatus = "HELD" | "COMMITTED" | "RELEASED" | "EXPIRED";

interface ModelReservation {
  readonly lines: readonly ModelLine[];
  status: ModelStatus;
  /** Released after it had expired. */
  closed: boolean;
  remainingMs: number;
}

/** Some products and the reservations of them. */
export class StockModel {
  readonly #initial: ReadonlyMap<string, number>;
  readonly #reservations = new Map<string, ModelReservation>();

  constructor(initial: ReadonlyMap<string, number>) {
    this.#initial = initial;
  }

  reserve(id: string, lines: readonly ModelLine[], ttlMs: number): ModelAnswer {
    const known = this.#reservations.get(id);
    // One that was released before it was reserved has no lines that others could differ from.
    if (known && known.lines.length > 0 && !sameLines(known.lines, lines)) {
      return { error: "RESERVATION_EXISTS" };
    }
    if (known) return { status: known.status, lines: sorted(known.lines) };
    const short = this.#shortages(lines);
    if (short.length > 0) return { short };
    this.#reservations.set(id, { lines, status: "HELD", closed: false, remainingMs: ttlMs });
    return { status: "HELD", lines: sorted(lines) };
  }

  commit(id: string): ModelAnswer {
    const known = this.#reservations.get(id);
    if (!known) return { error: "RESERVATION_NOT_FOUND" };
    if (known.status === "RELEASED" || known.closed) return { error: "RESERVATION_RELEASED" };
    const short = known.status === "EXPIRED" ? this.#shortages(known.lines) : [];
    if (short.length > 0) return { short };
    known.status = "COMMITTED";
    return { status: "COMMITTED", lines: sorted(known.lines) };
  }

  release(id: string): ModelAnswer {
    const known = this.#reservations.get(id) ?? newTombstone();
    this.#reservations.set(id, known);
    if (known.status === "EXPIRED") known.closed = true;
    else known.status = "RELEASED";
    return { status: known.status, lines: sorted(known.lines) };
  }

  pass(ms: number): void {
    for (const each of this.#reservations.values()) each.remainingMs -= ms;
  }

  /** Puts back what is overdue, and answers how many reservations that were. */
  expire(): number {
    const overdue = [...this.#reservations.values()].filter(
      ({ status, remainingMs }) => status === "HELD" && remainingMs <= 0,
    );
    for (const each of overdue) each.status = "EXPIRED";
    return overdue.length;
  }

  /** Where the units of every product are. */
  stock(): { productId: string; available: number; held: number; committed: number }[] {
    return [...this.#initial].map(([productId, initial]) => {
      const held = this.#units(productId, "HELD");
      const committed = this.#units(productId, "COMMITTED");
      return { productId, available: initial - held - committed, held, committed };
    });
  }

  #units(productId: string, status: ModelStatus): number {
    return [...this.#reservations.values()]
      .filter((each) => each.status === status)
      .flatMap((each) => each.lines)
      .filter((line) => line.productId === productId)
      .reduce((sum, line) => sum + line.quantity, 0);
  }

  #shortages(lines: readonly ModelLine[]) {
    const available = new Map(this.stock().map((each) => [each.productId, each.available]));
    return lines
      .map(({ productId, quantity }) => ({
        productId,
        requested: quantity,
        available: available.get(productId) ?? 0,
      }))
      .filter((line) => line.available < line.requested);
  }
}

function newTombstone(): ModelReservation {
  return { lines: [], status: "RELEASED", closed: false, remainingMs: 0 };
}

function sameLines(one: readonly ModelLine[], other: readonly ModelLine[]): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(lines: readonly ModelLine[]): ModelLine[] {
  return [...lines].sort((a, b) => a.productId.localeCompare(b.productId));
}
