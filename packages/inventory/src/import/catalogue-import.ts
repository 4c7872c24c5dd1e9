/**
 * Imports files of goods. Lines are checked and stored beside the catalogue, call by call; then all are applied in one transaction. A
 * client that vanishes in between leaves the catalogue as it was.
 */
import type { Database, Queryable } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import {
  importExists,
  importHasProblems,
  importIncomplete,
  importNotFound,
} from "../catalogue/catalogue-errors.ts";
import * as store from "../store/catalogue-imports.ts";
import { touchImportedPictures } from "../store/pictures.ts";
import type { ImportCells, ImportProblem, ImportSummary, ReadLine } from "./import-row.ts";
import { missingOfNew, readImportLine } from "./import-row.ts";

/** Checks lines and stages them; the answer is what is wrong with them. @throws IMPORT_EXISTS */
export function stageImport(
  database: Database,
  importId: string,
  rows: readonly ImportCells[],
): Promise<ImportProblem[]> {
  return withTransaction(database, "inventory.stage-import", (tx) =>
    stageWithin(tx, importId, rows),
  );
}

/** How a staged import is applied. */
export interface CommitOptions {
  /** Lines that were staged. */
  readonly rows: number;
  /** Answers what would change, and changes nothing. */
  readonly dryRun: boolean;
  /** Applies the good lines although others were rejected. */
  readonly keepGoing: boolean;
}

/** Applies a staged import, all of it. @throws what `CommitImport` documents. */
export function commitImport(
  database: Database,
  importId: string,
  o: CommitOptions,
): Promise<ImportSummary> {
  return withTransaction(database, "inventory.commit-import", (tx) =>
    commitWithin(tx, importId, o),
  );
}

/** {@link stageImport} as part of a transaction. */
export async function stageWithin(
  tx: Queryable,
  importId: string,
  rows: readonly ImportCells[],
): Promise<ImportProblem[]> {
  // Locked until the end: the calls of one import follow each other, so that each sees the products of those before it.
  const isCommitted = await store.touchImport(tx, importId);
  if (isCommitted) throw importExists(importId);
  const read = rows.map(readImportLine);
  await store.unstageLines(
    tx,
    importId,
    read.map(({ value }) => value.line),
  );
  const ids = [...new Set(read.map(({ value }) => value.productId))];
  const existing = await store.existingProducts(tx, ids);
  const lineOf = await store.stagedLines(tx, importId, ids);
  for (const line of read) checkAgainstOthers(line, existing, lineOf);
  const good = read.filter(({ problems }) => problems.length === 0);
  const bad = read.filter(({ problems }) => problems.length > 0);
  await store.stageLines(
    tx,
    importId,
    good.map(({ value }) => value),
    bad.map(({ value }) => value.line),
  );
  return read.flatMap(({ problems }) => problems);
}

/** Problems that show only against the catalogue and the other lines. */
function checkAgainstOthers(
  { value, problems }: ReadLine,
  existing: ReadonlySet<string>,
  lineOf: Map<string, number>,
): void {
  const { line, productId } = value;
  const isNamed = !problems.some(({ field }) => field === "product_id");
  if (!isNamed) return;
  if (!existing.has(productId)) {
    const reported = new Set(problems.map(({ field }) => (field === "currency" ? "price" : field)));
    problems.push(...missingOfNew(value).filter(({ field }) => !reported.has(field)));
  }
  const other = lineOf.get(productId);
  if (other === undefined) lineOf.set(productId, line);
  else problems.push({ line, field: "product_id", message: `is on line ${other} as well` });
}

/** Longest time of one statement of a commit, in milliseconds: more than the 10 seconds that others have. */
const longestStatementMs = 300_000;

/** So many changes at once make the planner's statistics wrong; after fewer, PostgreSQL renews them by itself in time. */
const manyProducts = 1_000;

/** {@link commitImport} as part of a transaction. */
export async function commitWithin(
  tx: Queryable,
  importId: string,
  o: CommitOptions,
): Promise<ImportSummary> {
  await tx.query({ text: `set local statement_timeout = ${longestStatementMs}` });
  const staged = await store.lockImport(tx, importId);
  if (!staged) throw importNotFound(importId);
  if (staged.summary) return staged.summary;
  const { good, rejected } = await store.countLines(tx, importId);
  if (good + rejected !== o.rows) throw importIncomplete(importId, good + rejected, o.rows);
  await store.analyzeLines(tx);
  if (o.dryRun) return { ...(await store.compareImport(tx, importId)), rejected };
  if (rejected > 0 && !o.keepGoing) throw importHasProblems(importId, rejected);
  await touchImportedPictures(tx, importId);
  const created = await store.insertImported(tx, importId, longestStatementMs);
  const updated = await store.updateImported(tx, importId, longestStatementMs);
  const summary = { created, updated, unchanged: good - created - updated, rejected };
  if (created + updated >= manyProducts) await store.analyzeCatalogue(tx);
  await store.endImport(tx, importId, summary);
  return summary;
}
