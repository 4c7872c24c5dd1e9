import type { GoodsLine } from "./goods-columns.ts";
import { GoodsFileError } from "./goods-columns.ts";
import { readCsv } from "./goods-csv.ts";
import { readJsonLines } from "./goods-json-lines.ts";

/** Ends of the names of files that can be imported, for the file dialog. */
export const goodsFileTypes = ".csv,.tsv,.jsonl,.ndjson";

/**
 * Reads a file of goods line by line: CSV, or JSON Lines by the end of its name. What is no UTF-8 becomes U+FFFD, which the service
 * reports by line and field.
 *
 * @param onBytes Called with the number of bytes that were read.
 * @throws GoodsFileError where the file as a whole cannot be read.
 */
export async function* readGoods(
  file: Pick<File, "name" | "stream">,
  onBytes: (bytes: number) => void,
): AsyncGenerator<GoodsLine> {
  const text = decode(file.stream(), onBytes);
  const isJsonLines = /\.(?:jsonl|ndjson)$/i.test(file.name);
  if (!isJsonLines && !/\.(?:csv|tsv)$/i.test(file.name)) {
    throw new GoodsFileError(
      `"${file.name}" is no file of goods: choose one of ${goodsFileTypes}.`,
    );
  }
  yield* isJsonLines ? readJsonLines(text) : readCsv(text);
}

async function* decode(
  bytes: ReadableStream<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let count = 0;
  for await (const chunk of chunksOf(bytes)) {
    count += chunk.length;
    onBytes(count);
    yield decoder.decode(chunk, { stream: true });
  }
  yield decoder.decode();
}

/** A ReadableStream is not iterable in every browser. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    await reader.cancel();
  }
}
