import type { GoodsLine } from "./goods-columns.ts";
import { cellOfColumn, GoodsFileError, unknownColumn } from "./goods-columns.ts";
import type { ImportProblem } from "./import-row.ts";

/** Longest line, in characters. */
const maxLineLength = 200_000;

/** Reads JSON Lines: an object a line, with the columns as its names. Null stands for a column that the line does not have. */
export async function* readJsonLines(text: AsyncIterable<string>): AsyncIterable<GoodsLine> {
  let line = 0;
  for await (const json of linesOf(text)) {
    line += 1;
    if (json.trim() !== "") yield readLine(line, json);
  }
}

async function* linesOf(text: AsyncIterable<string>): AsyncIterable<string> {
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
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return bad(line, "", `is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return bad(line, "", "is not a JSON object");
  }
  const cells: Record<string, string> = {};
  const problems: ImportProblem[] = [];
  for (const [column, content] of Object.entries(value)) {
    const cell = cellOfColumn(column);
    if (cell === undefined) problems.push({ line, field: column, message: unknownColumn });
    else if (isPlain(content)) cells[cell] = String(content);
    else if (content !== null) {
      problems.push({ line, field: column, message: "must be text, a number, true or false" });
    }
  }
  return problems.length > 0 ? { problems } : { cells: { line, ...cells } };
}

function isPlain(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

function bad(line: number, field: string, message: string): GoodsLine {
  return { problems: [{ line, field, message }] };
}
