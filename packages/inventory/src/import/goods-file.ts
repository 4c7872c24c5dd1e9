/** Files of goods: CSV with a header, or JSON Lines. They are read as a stream, line by line. */
import { extname } from "node:path";
import type { GoodsLine } from "./goods-columns.ts";
import { GoodsFileError } from "./goods-columns.ts";
import { readCsv } from "./goods-csv.ts";
import { readJsonLines } from "./goods-json-lines.ts";

export { GoodsFileError, type GoodsLine, goodsColumns } from "./goods-columns.ts";

/** Formats of files of goods. */
export type GoodsFormat = "csv" | "jsonl";

const formats: Readonly<Record<string, GoodsFormat>> = {
  ".csv": "csv",
  ".tsv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
};

/** The format of a file by the end of its name; undefined: another one. */
export function goodsFormatOf(file: string): GoodsFormat | undefined {
  return formats[extname(file).toLowerCase()];
}

/**
 * Reads the lines of a file, from UTF-8; a byte-order mark is passed over, and so are empty lines. CSV may be separated by commas,
 * semicolons or tabs; its first line names the columns.
 * @throws GoodsFileError where the file as a whole cannot be read: without a header, with an unknown column
 */
export function readGoods(
  source: AsyncIterable<Uint8Array>,
  format: GoodsFormat,
): AsyncIterable<GoodsLine> {
  const text = decode(source);
  return format === "csv" ? readCsv(text) : readJsonLines(text);
}

/** Bytes that are not UTF-8 become U+FFFD, which the import then reports by line and field. */
async function* decode(source: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let isEmpty = true;
  for await (const bytes of source) {
    const text = decoder.decode(bytes, { stream: true });
    if (text.trim() !== "") isEmpty = false;
    if (text !== "") yield text;
  }
  const rest = decoder.decode();
  if (isEmpty && rest === "") throw new GoodsFileError("The file is empty.");
  if (rest !== "") yield rest;
}
