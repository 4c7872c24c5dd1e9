/** Lines of a file of goods: from the text of their cells to values, or to what is wrong with them. Pure. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { validateMessage } from "@smartcart/contract";
import { UpdateProductRequestSchema } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { ImportRowSchema } from "@smartcart/gen/inventory/v1/catalogue_import_pb";
import { excerpt, isCurrency, parseAmount } from "../catalogue/amount.ts";
import { maxStock } from "../catalogue/catalogue.ts";
import { emojiProblem, pictureUrlProblem } from "../catalogue/product-rules.ts";

/** Cells of a line, as text. */
export type ImportCells = MessageInitShape<typeof ImportRowSchema>;

/** A cell that cannot be imported. */
export interface ImportProblem {
  readonly line: number;
  /** Column: "price". */
  readonly field: string;
  readonly message: string;
}

/** A line that can be imported; what is undefined is not in the file. */
export interface ImportLine {
  readonly line: number;
  readonly productId: string;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly category: string | undefined;
  readonly emoji: string | undefined;
  readonly pictureUrl: string | undefined;
  readonly currencyCode: string | undefined;
  readonly priceMinor: bigint | undefined;
  readonly stock: number | undefined;
  readonly archived: boolean | undefined;
}

/** What an import changes, in products; `rejected` in lines. */
export interface ImportSummary {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
}

/** What a line says, with every problem of its cells. The values are good only where there is none. */
export interface ReadLine {
  readonly value: ImportLine;
  readonly problems: ImportProblem[];
}

type Report = (field: string, message: string) => void;

/** Reads the cells of one line. */
export function readImportLine(cells: ImportCells): ReadLine {
  const problems: ImportProblem[] = [];
  const { line = 0, productId = "", name, description, category, emoji, pictureUrl } = cells;
  const report: Report = (field, message) => problems.push({ line, field, message });
  const texts = { productId, name, description, category, emoji, pictureUrl };
  checkTexts(texts, report);
  checkEncoding(texts, report);
  const value = { line, ...texts, ...readPrice(cells, report), ...readStock(cells, report) };
  return { value, problems };
}

/** What a line lacks to become a new product. */
export function missingOfNew({ line, name, category, priceMinor }: ImportLine): ImportProblem[] {
  const required = { name, category, price: priceMinor };
  return Object.entries(required).flatMap(([field, value]) =>
    value === undefined ? [{ line, field, message: "is required for a new product" }] : [],
  );
}

const columnOf: Readonly<Record<string, string>> = {
  productId: "product_id",
  pictureUrl: "picture_url",
};

/** By the rules of `UpdateProduct`: an import takes what an edit takes. */
function checkTexts(texts: Partial<Record<string, string>>, report: Report): void {
  const message = create(UpdateProductRequestSchema, { revision: 1n, ...texts });
  const violations = validateMessage(UpdateProductRequestSchema, message);
  for (const { field, message } of violations) report(columnOf[field] ?? field, message);
  const rules = { emoji: emojiProblem, pictureUrl: pictureUrlProblem };
  for (const [field, problemOf] of Object.entries(rules)) {
    const isReported = violations.some((violation) => violation.field === field);
    const problem = isReported ? undefined : problemOf(texts[field] ?? "");
    if (problem !== undefined) report(columnOf[field] ?? field, problem);
  }
}

/** What was no UTF-8 in the file has become U+FFFD by now. */
function checkEncoding(texts: Partial<Record<string, string>>, report: Report): void {
  for (const [field, text] of Object.entries(texts)) {
    if (!text?.includes("\ufffd")) continue;
    report(columnOf[field] ?? field, "has a character that is not UTF-8; save the file as UTF-8");
  }
}

const noPrice = { currencyCode: undefined, priceMinor: undefined };

function readPrice(cells: ImportCells, report: Report) {
  const price = trimmed(cells.price);
  const currency = trimmed(cells.currency);
  if (price === undefined && currency === undefined) return noPrice;
  if (price === undefined) report("price", "is required together with the currency");
  if (currency === undefined)
    report("currency", "is required together with the price, such as USD");
  const isKnown = currency !== undefined && isCurrency(currency);
  if (currency !== undefined && !isKnown) {
    report("currency", `"${excerpt(currency)}" is not a currency code of ISO 4217, such as USD`);
  }
  if (price === undefined) return noPrice;
  // Without a currency that is known, the amount can still be no amount at all.
  const amount = parseAmount(price, isKnown ? currency : "USD");
  if ("problem" in amount) {
    if (isKnown || !/^\d+\.\d+$/.test(price)) report("price", amount.problem);
    return noPrice;
  }
  return isKnown ? { currencyCode: currency, priceMinor: amount.minor } : noPrice;
}

function readStock(cells: ImportCells, report: Report) {
  const stock = trimmed(cells.stock);
  const archived = trimmed(cells.archived)?.toLowerCase();
  if (stock !== undefined && !(/^\d{1,10}$/.test(stock) && Number(stock) <= maxStock)) {
    report("stock", `"${excerpt(stock)}" is not a whole number from 0 to ${maxStock}`);
  }
  if (archived !== undefined && archived !== "true" && archived !== "false") {
    report("archived", `"${excerpt(archived)}" is neither true nor false`);
  }
  return {
    stock: stock === undefined ? undefined : Number(stock),
    archived: archived === undefined ? undefined : archived === "true",
  };
}

/** A cell without spaces around it; undefined where it is empty or not in the file. */
function trimmed(cell: string | undefined): string | undefined {
  return cell?.trim() || undefined;
}
