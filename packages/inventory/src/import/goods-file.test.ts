import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GoodsFormat } from "./goods-file.ts";
import { GoodsFileError, goodsFormatOf, readGoods } from "./goods-file.ts";

/** Each byte, or a few, on their own: a file is cut anywhere. */
async function* cut(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string | Uint8Array, format: GoodsFormat, size = 7) {
  const lines: unknown[] = [];
  for await (const line of readGoods(cut(Buffer.from(text), size), format)) {
    if ("cells" in line) lines.push(line.cells);
    else lines.push(...line.problems.map((p) => `${p.line} ${p.field}: ${p.message}`));
  }
  return lines;
}

describe("CSV", () => {
  it("has a header in any order and spelling, quotes, line breaks in cells, and empty lines", async () => {
    const text =
      '\ufeffname,productId,Description\r\n"Mug, blue",mug,"Two\nlines, ""quoted"""\r\n\r\nPot,pot,\r\n';
    expect(await read(text, "csv")).toEqual([
      { line: 2, name: "Mug, blue", productId: "mug", description: 'Two\nlines, "quoted"' },
      { line: 5, name: "Pot", productId: "pot", description: "" },
    ]);
  });

  it.each([";", "\t"])("may be separated by %j", async (separator) => {
    const text = ["product_id,price", "mug,4", "pot,5"].join("\n").replaceAll(",", separator);
    expect(await read(text, "csv")).toEqual([
      { line: 2, productId: "mug", price: "4" },
      { line: 3, productId: "pot", price: "5" },
    ]);
  });

  it("names the lines that are not as the header says, and goes on after them", async () => {
    const text = 'product_id,price\nmug\npot,1,2\n5" pipe,1\ncup,3\n';
    expect(await read(text, "csv")).toEqual([
      "2 : has 1 cells, but the header has 2",
      "3 : has 3 cells, but the header has 2",
      { line: 4, productId: '5" pipe', price: "1" },
      { line: 5, productId: "cup", price: "3" },
    ]);
  });

  it.each([
    ["", /empty/],
    ["\n\n", /empty/],
    ["name,price\n", /product_id is missing/],
    ["product_id,prise\n", /"prise" is not a column/],
    ["product_id,productId\n", /twice/],
  ])("%j is no file of goods", async (text, message) => {
    await expect(read(text, "csv")).rejects.toThrow(message);
    await expect(read(text, "csv")).rejects.toBeInstanceOf(GoodsFileError);
  });

  it.each([10, 60_000])(
    "names the line whose quote is never closed, %i lines before the end",
    async (more) => {
      const text = `product_id\nmug\n"cup\n${"pot\n".repeat(more)}`;
      await expect(read(text, "csv", 65_536)).rejects.toThrow(/^Line 3: a quote is opened/);
    },
  );

  it("replaces what is not UTF-8, for the import to report", async () => {
    const text = Buffer.concat([
      Buffer.from("product_id,name\nmug,caf"),
      Buffer.from([0xe9, 0x0a]),
    ]);
    expect(await read(text, "csv")).toEqual([{ line: 2, productId: "mug", name: "caf\ufffd" }]);
  });
});

describe("JSON Lines", () => {
  it("are objects with the columns as names", async () => {
    const text =
      '{"productId":"mug","price":4.5,"archived":false}\n\n{"product_id":"pot","name":null}\n';
    expect(await read(text, "jsonl")).toEqual([
      { line: 1, productId: "mug", price: "4.5", archived: "false" },
      { line: 3, productId: "pot" },
    ]);
  });

  it("names each line that is something else", async () => {
    const text =
      '{"productId"\n[1]\n{"product_id":"pot","colour":"red","price":{"minorUnits":1}}\n{"product_id":"cup"}';
    expect(await read(text, "jsonl")).toEqual([
      expect.stringMatching(/^1 : is not JSON: /),
      "2 : is not a JSON object",
      expect.stringMatching(/^3 colour: is not a column/),
      "3 price: must be text, a number, true or false",
      { line: 4, productId: "cup" },
    ]);
  });

  it("refuses a line without end", async () => {
    await expect(read(`{"a":"${"x".repeat(300_000)}`, "jsonl", 65_536)).rejects.toThrow(
      /Line 1 is longer/,
    );
  });
});

it("reads any text to its end, wherever it is cut", async () => {
  const piece = fc.constantFrom(
    "product_id",
    "name",
    ",",
    '"',
    "\n",
    "\r\n",
    ";",
    "{",
    "}",
    ":",
    "a",
    "é",
    "\0",
    " ",
  );
  const files = fc.record({
    text: fc.array(piece, { maxLength: 30 }).map((pieces) => `product_id,name\n${pieces.join("")}`),
    format: fc.constantFrom<GoodsFormat>("csv", "jsonl"),
    size: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(files, async ({ text, format, size }) => {
      const outcome = (size: number) => read(text, format, size).catch((error: unknown) => error);
      expect(await outcome(size)).toEqual(await outcome(1_000));
    }),
    { numRuns: 200 },
  );
});

it("tells the format by the end of the name", () => {
  expect(["a.csv", "b.TSV", "c.jsonl", "d.ndjson", "e.xlsx", "f"].map(goodsFormatOf)).toEqual([
    ...["csv", "csv", "jsonl", "jsonl"],
    ...[undefined, undefined],
  ]);
});
