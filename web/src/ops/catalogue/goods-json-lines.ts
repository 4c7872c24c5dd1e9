import type { GoodsLine } from "./goods-columns.ts";
import { cellOfColumn, GoodsFileError, maxLineLength, unknownColumn } from "./goods-columns.ts";

/** Reads JSON Lines: an object a line, with the columns as its names. Null stands for a column that the line does not have. */
export async function* readJsonLines(text: AsyncIterable<string>): AsyncGenerator<GoodsLine> {
  let line = 0;
  for await (const json of linesOf(text)) {
    line += 1;
    if (json.trim() !== "") yield readLine(line, json);
  }
}

async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  let line = 1;
  for await (const chunk of text) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    line += lines.length;
    yield* lines;
    if (rest.length > maxLineLength) {
      throw new GoodsFileError(`Line ${line} is longer than ${maxLineLength} characters.`);
    }
  }
  yield rest;
}

function readLine(line: number, json: string): GoodsLine {
  const bad = (field: string, message: string): GoodsLine => ({
    problem: { line, field, message },
  });
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return bad("", `is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return bad("", "is not a JSON object");
  }
  const row: Record<string, string> = {};
  for (const [column, content] of Object.entries(value)) {
    const cell = cellOfColumn(column);
    if (cell === undefined) return bad(column, unknownColumn);
    if (["string", "number", "boolean"].includes(typeof content)) row[cell] = String(content);
    else if (content !== null) return bad(column, "must be text, a number, true or false");
  }
  return { row: { line, ...row } };
}
