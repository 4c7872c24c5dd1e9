/** What the catalogue of a new database begins with. */
import { createReadStream } from "node:fs";
import { StartError } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import { clearCatalogue, isSeeded, lockSeed, noteSeed } from "../store/catalogue-seed.ts";
import { commitWithin, stageWithin } from "./catalogue-import.ts";
import type { GoodsFormat } from "./goods-file.ts";
import { GoodsFileError, goodsFormatOf, readGoods } from "./goods-file.ts";
import type { ImportCells, ImportProblem } from "./import-row.ts";

/** Lines that are staged at once. */
const batchSize = 1_000;
/** Problems that are shown. */
const shownProblems = 10;

/**
 * Fills the catalogue of a new database, once, all or nothing: "demo" is the catalogue of the migrations, "none" an empty one, everything
 * else a file of goods. A database that was filled before stays as it is.
 * @throws StartError that names SMARTCART_SEED where the file cannot be imported
 */
export async function seedCatalogue(database: Database, seed: string): Promise<void> {
  const format = goodsFormatOf(seed);
  if (seed !== "demo" && seed !== "none" && format === undefined) {
    throw wrong(`"${seed}" must be demo, none, or a file that ends in .csv or .jsonl`);
  }
  await withTransaction(database, "inventory.seed", async (tx) => {
    await lockSeed(tx);
    if (await isSeeded(tx)) return;
    if (seed !== "demo") await clearCatalogue(tx);
    if (format !== undefined) await importFile(tx, seed, format);
    await noteSeed(tx, seed);
  });
}

async function importFile(tx: Queryable, file: string, format: GoodsFormat): Promise<void> {
  const problems: ImportProblem[] = [];
  let rows = 0;
  let batch: ImportCells[] = [];
  const flush = async () => {
    if (batch.length > 0) problems.push(...(await stageWithin(tx, importId, batch)));
    rows += batch.length;
    batch = [];
  };
  try {
    for await (const line of readGoods(createReadStream(file), format)) {
      if ("problems" in line) problems.push(...line.problems);
      else batch.push(line.cells);
      if (batch.length === batchSize) await flush();
    }
  } catch (error) {
    if (!(error instanceof GoodsFileError) && !isFileError(error)) throw error;
    throw wrong(`${file} cannot be read: ${(error as Error).message}`);
  }
  await flush();
  if (problems.length > 0) throw wrong(describe(file, problems));
  if (rows > 0) await commitWithin(tx, importId, { rows, dryRun: false, keepGoing: false });
}

const importId = "seed";

function isFileError(error: unknown): boolean {
  return (error as { syscall?: unknown }).syscall !== undefined;
}

function describe(file: string, problems: readonly ImportProblem[]): string {
  const lines = problems
    .slice(0, shownProblems)
    .map(({ line, field, message }) => `  ${file}:${line}: ${field ? `${field}: ` : ""}${message}`);
  const more = problems.length - lines.length;
  return [`${file} has ${problems.length} problems; correct them:`, ...lines]
    .concat(more > 0 ? [`  and ${more} more`] : [])
    .join("\n");
}

function wrong(problem: string): StartError {
  return new StartError(`SMARTCART_SEED: ${problem}`, { variable: "SMARTCART_SEED" });
}
