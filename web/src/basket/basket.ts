/** The basket: one line per product, in the order in which they were put in. Without prices: those are the catalogue's. */
export type Basket = readonly BasketLine[];

/** A product of the basket. It may have left the catalogue since it was put in. */
export interface BasketLine {
  readonly productId: string;
  /** Units, 1 to 1,000. */
  readonly quantity: number;
}

/** Most units on a line, by the contract. */
export const maxQuantity = 1_000;

/** Most lines, by the contract. */
const maxLines = 100;

/** One unit more. A basket that is full stays as it is. */
export function addUnit(basket: Basket, productId: string): Basket {
  return setQuantity(basket, productId, quantityOf(basket, productId) + 1);
}

/** Sets the units of a product, within what the contract allows; 0 or less takes the line out. */
export function setQuantity(basket: Basket, productId: string, quantity: number): Basket {
  const units = Math.min(maxQuantity, Math.trunc(quantity) || 0);
  if (units <= 0) return basket.filter((line) => line.productId !== productId);
  const known = basket.some((line) => line.productId === productId);
  if (!known) {
    return basket.length < maxLines ? [...basket, { productId, quantity: units }] : basket;
  }
  return basket.map((line) =>
    line.productId === productId ? { productId, quantity: units } : line,
  );
}

/** Puts lines in, on top of what is there. */
export function putIn(basket: Basket, lines: Basket): Basket {
  return lines.reduce(
    (sum, line) =>
      setQuantity(sum, line.productId, quantityOf(sum, line.productId) + line.quantity),
    basket,
  );
}

/** Takes out what was ordered; what came in since then stays. */
export function takeOut(basket: Basket, lines: Basket): Basket {
  return lines.reduce(
    (rest, line) =>
      setQuantity(rest, line.productId, quantityOf(rest, line.productId) - line.quantity),
    basket,
  );
}

/** Units of a product; 0 where it is not in. */
export function quantityOf(basket: Basket, productId: string): number {
  return basket.find((line) => line.productId === productId)?.quantity ?? 0;
}

/** Units altogether. */
export function countUnits(basket: Basket): number {
  return basket.reduce((sum, line) => sum + line.quantity, 0);
}

/** Reads what was stored. What an older page or a curious visitor left there and does not fit is dropped. */
export function parseBasket(text: string | null): Basket {
  try {
    const lines: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(lines)) return [];
    return lines
      .filter(isLine)
      .reduce<Basket>((basket, line) => setQuantity(basket, line.productId, line.quantity), []);
  } catch {
    return [];
  }
}

function isLine(value: unknown): value is BasketLine {
  if (typeof value !== "object" || value === null) return false;
  const { productId, quantity } = value as Record<string, unknown>;
  return typeof productId === "string" && productId !== "" && typeof quantity === "number";
}
