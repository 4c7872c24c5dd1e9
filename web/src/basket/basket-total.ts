import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import type { Amount } from "../ui/money.ts";
import type { Basket } from "./basket.ts";

/** Where prices come from. */
export interface PriceList {
  find(productId: string): Product | undefined;
}

/**
 * What the basket comes to at the prices that the page knows; the order is charged at those of the backend. Undefined
 * while a price is not known, or where currencies are mixed, which no sum could say.
 */
export function basketTotal(prices: PriceList, lines: Basket): Amount | undefined {
  let currencyCode: string | undefined;
  let minorUnits = 0n;
  for (const { productId, quantity } of lines) {
    const price = prices.find(productId)?.price;
    if (!price || (currencyCode !== undefined && currencyCode !== price.currencyCode))
      return undefined;
    currencyCode = price.currencyCode;
    minorUnits += price.minorUnits * BigInt(quantity);
  }
  return currencyCode === undefined ? undefined : { currencyCode, minorUnits };
}

/** Whether the lines have prices in more than one currency, which no order can. */
export function hasMixedCurrencies(prices: PriceList, lines: Basket): boolean {
  const codes = lines.flatMap(({ productId }) => prices.find(productId)?.price?.currencyCode ?? []);
  return new Set(codes).size > 1;
}
