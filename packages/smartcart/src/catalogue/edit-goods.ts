/** `smartcart catalogue restock` and `price`: change one product. */
import { randomUUID } from "node:crypto";
import type { StockAdjustment } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import { StockAdjustmentReason } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import { formatAmount, isCurrency, parseAmount } from "@smartcart/inventory";
import { CommandError } from "../cli/command.ts";
import type { Catalogue } from "./client.ts";

/** Reasons of a stock adjustment, as they are written on the command line. */
const reasons = {
  received: StockAdjustmentReason.RECEIVED,
  returned: StockAdjustmentReason.RETURNED,
  "written-off": StockAdjustmentReason.WRITTEN_OFF,
  corrected: StockAdjustmentReason.CORRECTED,
} as const;

interface RestockOptions {
  readonly productId: string;
  /** Units that come, or go if negative. */
  readonly units: number;
  readonly reason: keyof typeof reasons;
  readonly note: string;
  /** Makes a repetition the same adjustment. Default: a new one. */
  readonly id: string | undefined;
}

/** Adjusts the stock of a product; returns the entry of the ledger. */
export async function restock(
  { client, options }: Catalogue,
  { productId, units, reason, note, id = randomUUID() }: RestockOptions,
): Promise<StockAdjustment> {
  const request = { adjustmentId: id, productId, delta: units, reason: reasons[reason], note };
  const { adjustment } = await client.adjustStock(request, options);
  if (adjustment === undefined) throw new CommandError("The service returned no adjustment.");
  return adjustment;
}

/** A price before and after a change, as text: "USD 14.50". */
export interface PriceChange {
  readonly before: string;
  readonly after: string;
}

/** Sets the price of a product; without a currency, in that which it has. */
export async function setPrice(
  { client, options }: Catalogue,
  productId: string,
  amount: string,
  currency: string | undefined,
): Promise<PriceChange> {
  const { product } = await client.getCatalogueProduct({ productId }, options);
  const old = product?.product?.price;
  const currencyCode = currency ?? old?.currencyCode ?? "";
  if (!isCurrency(currencyCode)) {
    throw new CommandError(`"${currencyCode}" is not a currency code of ISO 4217, such as USD.`);
  }
  const parsed = parseAmount(amount, currencyCode);
  if ("problem" in parsed) throw new CommandError(`${parsed.problem}.`);
  const price = { currencyCode, minorUnits: parsed.minor };
  const revision = product?.revision ?? 0n;
  await client.updateProduct({ productId, revision, price }, options);
  return { before: old ? shown(old) : "", after: shown(price) };
}

function shown({ currencyCode, minorUnits }: { currencyCode: string; minorUnits: bigint }) {
  return `${currencyCode} ${formatAmount(minorUnits, currencyCode)}`;
}
