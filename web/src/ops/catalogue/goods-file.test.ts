import { expect, test } from "vitest";
import type { GoodsLine } from "./goods-columns.ts";
import { GoodsFileError } from "./goods-columns.ts";
import { readGoods } from "./goods-file.ts";

/** The lines of a file that comes in chunks of so many bytes. */
async function read(name: string, text: string, chunk = 7) {
  const bytes = new TextEncoder().encode(text);
  const stream = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += chunk) {
          controller.enqueue(bytes.slice(at, at + chunk));
        }
        controller.close();
      },
    });
  const lines: GoodsLine[] = [];
  for await (const line of readGoods({ name, stream }, () => {})) lines.push(line);
  return lines;
}

const csv =
  'product_id;name;Price\r\n\r\nmug;"Mug; ""big""\r\nand blue";1.50\r\ncup;Cup "x";2\r\nbad\r\n';

test.each([1, 2, 3, 7, 64, 4_096])("CSV in chunks of %d bytes", async (chunk) => {
  expect(await read("goods.csv", `\ufeff${csv}`, chunk)).toEqual([
    { row: { line: 3, productId: "mug", name: 'Mug; "big"\r\nand blue', price: "1.50" } },
    { row: { line: 5, productId: "cup", name: 'Cup "x"', price: "2" } },
    { problem: { line: 6, field: "", message: "has 1 cells, but the header has 3" } },
  ]);
});

test("JSON Lines", async () => {
  const text = '{"productId":"mug","price":1.5,"stock":null}\n\n{"colour":"red"}\n{oops\n[1]\n';
  const [good, unknown, broken, list] = await read("goods.jsonl", text);
  expect(good).toEqual({ row: { line: 1, productId: "mug", price: "1.5" } });
  expect(unknown).toMatchObject({ problem: { line: 3, field: "colour" } });
  expect(broken).toMatchObject({ problem: { line: 4, field: "" } });
  expect(list).toMatchObject({ problem: { line: 5, message: "is not a JSON object" } });
});

test.each([
  ["goods.csv", "", /empty/],
  ["goods.csv", "product_id,colour\n", /"colour" is not a column/],
  ["goods.csv", "name\nx\n", /product_id is missing/],
  ["goods.csv", "product_id,productId\n", /twice/],
  ["goods.csv", 'product_id,name\nmug,"never closed\n', /never closed/],
  ["goods.csv", `product_id,name\nmug,"${"x".repeat(70_000)}`, /never closed/],
  ["goods.jsonl", `{"name":"${"x".repeat(70_000)}`, /Line 1 is longer/],
  ["goods.xlsx", "PK", /goods\.xlsx/],
])("%s %#", async (name, text, message) => {
  const reading = read(name, text, 4_096);
  await expect(reading).rejects.toThrow(GoodsFileError);
  await expect(reading).rejects.toThrow(message);
});
