import type { ParseError } from "papaparse";
import Papa from "papaparse";
import type { GoodsLine } from "./goods-columns.ts";
import { cellOfColumn, GoodsFileError, maxLineLength, unknownColumn } from "./goods-columns.ts";

interface Parsed {
  readonly data: string[][];
  readonly errors: ParseError[];
  /** Where the first record begins that was not read. */
  readonly meta: { readonly cursor: number };
}

/**
 * Reads CSV (RFC 4180), separated by commas, semicolons or tabs; the first line names the columns. Lines are numbered by where they begin.
 *
 * @throws GoodsFileError where there is no header, or an unknown column, or a quote that is never closed.
 */
export async function* readCsv(text: AsyncIterable<string>): AsyncGenerator<GoodsLine> {
  let columns: readonly string[] | undefined;
  let line = 1;
  for await (const record of recordsOf(text)) {
    const begin = line;
    line += record.reduce((breaks, cell) => breaks + cell.split("\n").length - 1, 1);
    if (record.length === 1 && record[0]?.trim() === "") continue;
    if (columns === undefined) columns = columnsOf(record);
    else yield toLine(columns, record, begin);
  }
  if (columns === undefined) throw new GoodsFileError("The file is empty.");
}

/** Every record, also of one cell. Of the text, no more than a chunk and a line are held. */
async function* recordsOf(text: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let rest = "";
  let delimiter: string | undefined;
  const parse = (isLast: boolean): Parsed => {
    delimiter ??= delimiterOf(rest);
    const parser = new Papa.Parser({ delimiter, newline: "\n" });
    const parsed: Parsed = parser.parse(rest, 0, !isLast);
    rest = rest.slice(parsed.meta.cursor);
    return parsed;
  };
  for await (const chunk of text) {
    rest += chunk;
    if (delimiter === undefined && !/[^\s].*\n/.test(rest)) continue;
    yield* parse(false).data.map(withoutReturn);
    if (rest.length > maxLineLength) throw brokenLine;
  }
  if (rest === "") return;
  const { data, errors } = parse(true);
  if (errors.some(({ code }) => code === "MissingQuotes")) throw brokenLine;
  yield* data.map(withoutReturn);
}

const brokenLine = new GoodsFileError(
  `A quote is opened and never closed, or a line is longer than ${maxLineLength} characters.`,
);

/** Lines may end in CR LF. */
function withoutReturn(record: readonly string[]): readonly string[] {
  return record.with(-1, (record.at(-1) ?? "").replace(/\r$/, ""));
}

/** The separator of the header: that which it has most of. */
function delimiterOf(text: string): string {
  const header = text.trimStart().split("\n", 1)[0] ?? "";
  const count = (separator: string) => header.split(separator).length;
  return [",", ";", "\t"].reduce((best, one) => (count(one) > count(best) ? one : best));
}

function columnsOf(header: readonly string[]): readonly string[] {
  const cells = header.map((column) => {
    const cell = cellOfColumn(column);
    if (cell === undefined) throw new GoodsFileError(`Line 1: "${column}" ${unknownColumn}.`);
    return cell;
  });
  if (new Set(cells).size < cells.length) {
    throw new GoodsFileError("Line 1: a column is there twice.");
  }
  if (!cells.includes("productId")) {
    throw new GoodsFileError(
      "Line 1: the column product_id is missing. The first line names the columns.",
    );
  }
  return cells;
}

function toLine(columns: readonly string[], record: readonly string[], line: number): GoodsLine {
  if (record.length !== columns.length) {
    const message = `has ${record.length} cells, but the header has ${columns.length}`;
    return { problem: { line, field: "", message } };
  }
  return { row: { line, ...Object.fromEntries(columns.map((cell, at) => [cell, record[at]])) } };
}
