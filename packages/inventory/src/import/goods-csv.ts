import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parse } from "csv-parse";
import type { GoodsLine } from "./goods-columns.ts";
import { cellOfColumn, GoodsFileError, unknownColumn } from "./goods-columns.ts";

/** Longest line, in characters: a quote that is never closed does not read the rest of the file into memory. */
const maxLineLength = 200_000;

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads CSV (RFC 4180). Lines are numbered by where they begin. A quote within a cell that is not in quotes is text.
 * @throws GoodsFileError also where a quote is never closed: the lines after it cannot be told apart
 */
export async function* readCsv(text: AsyncIterable<string>): AsyncIterable<GoodsLine> {
  const chunks = text[Symbol.asyncIterator]();
  const first = await beginningOf(chunks);
  let isBroken = false;
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(first),
    info: true,
    max_record_size: maxLineLength,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    // An error would take the lines with it that were read before it.
    skip_records_with_error: true,
    on_skip() {
      isBroken = true;
      return undefined;
    },
  });
  // A failed read also ends the parser, and with it the loop below, which throws it.
  pipeline(Readable.from(following(first, chunks)), parser).catch(() => {});
  let columns: readonly string[] | undefined;
  let lastLine = 0;
  for await (const { record, info } of parser as AsyncIterable<Parsed>) {
    if (columns === undefined) columns = columnsOf(record);
    else yield toLine(columns, record, info.lines - lineBreaksIn(record));
    lastLine = info.lines;
  }
  if (isBroken) {
    throw new GoodsFileError(
      `Line ${lastLine + 1}: a quote is opened and never closed, or the line is longer than ${maxLineLength} characters.`,
    );
  }
  if (columns === undefined) throw new GoodsFileError("The file is empty.");
}

/** The text up to the end of the header. */
async function beginningOf(chunks: AsyncIterator<string>): Promise<string> {
  let text = "";
  while (!/[^\s\ufeff].*[\r\n]/.test(text) && text.length < maxLineLength) {
    const next = await chunks.next();
    if (next.done) break;
    text += next.value;
  }
  return text;
}

/** A record ends so many lines after it began. */
function lineBreaksIn(record: readonly string[]): number {
  return record.reduce((count, cell) => count + cell.split("\n").length - 1, 0);
}

async function* following(first: string, rest: AsyncIterator<string>): AsyncIterable<string> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/** The separator of the header: that which it has most of. */
function delimiterOf(text: string): string {
  const header = text.trimStart().split(/[\r\n]/, 1)[0] ?? "";
  const count = (separator: string) => header.split(separator).length;
  return [",", ";", "\t"].reduce((best, one) => (count(one) > count(best) ? one : best));
}

function columnsOf(header: readonly string[]): readonly string[] {
  const cells = header.map((column) => {
    const cell = cellOfColumn(column);
    if (cell === undefined) throw new GoodsFileError(`Line 1: "${column}" ${unknownColumn}.`);
    return cell;
  });
  const twice = cells.find((cell, index) => cells.indexOf(cell) !== index);
  if (twice !== undefined) throw new GoodsFileError(`Line 1: the column ${twice} is there twice.`);
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
    return { problems: [{ line, field: "", message }] };
  }
  return { cells: { line, ...Object.fromEntries(columns.map((cell, at) => [cell, record[at]])) } };
}
