/** `smartcart catalogue import`: streams a file to the inventory service, which applies all of it or none. */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ImportRowSchema } from "@smartcart/gen/inventory/v1/catalogue_import_pb";
import type { GoodsFormat, ImportProblem } from "@smartcart/inventory";
import { GoodsFileError, readGoods } from "@smartcart/inventory";
import { CommandError } from "../cli/command.ts";
import type { Catalogue } from "./client.ts";
import type { Progress } from "./progress.ts";

interface ImportOptions {
  /** "-": standard input. */
  readonly file: string;
  readonly format: GoodsFormat;
  readonly dryRun: boolean;
  readonly keepGoing: boolean;
  readonly progress: Progress;
  /** Called with each problem as soon as it is known. */
  readonly onProblem: (problem: ImportProblem) => void;
}

interface ImportResult {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Lines that were not imported. */
  readonly rejected: number;
  /** Whether the catalogue was left as it was because of the rejected lines. */
  readonly refused: boolean;
}

type Row = MessageInitShape<typeof ImportRowSchema>;

/** Lines in one call, and characters, since a call has at most 2 MB. */
const maxRows = 1_000;
const maxCharacters = 400_000;

/** Imports a file. @throws CommandError where it cannot be read */
export async function importGoods(catalogue: Catalogue, o: ImportOptions): Promise<ImportResult> {
  const importId = randomUUID();
  const { client, options } = catalogue;
  const rejected = new Set<number>();
  const report = (problems: readonly ImportProblem[]) => {
    for (const problem of problems) {
      rejected.add(problem.line);
      o.onProblem(problem);
    }
  };
  let rows = 0;
  for await (const batch of batchesOf(o)) {
    report(batch.problems);
    if (batch.rows.length === 0) continue;
    const { problems } = await client.stageImport({ importId, rows: batch.rows }, options);
    report(problems);
    rows += batch.rows.length;
    o.progress.show(batch.share, `${rows.toLocaleString("en")} lines checked`);
  }
  const counts = { created: 0, updated: 0, unchanged: 0, rejected: rejected.size };
  const refused = rejected.size > 0 && !o.keepGoing && !o.dryRun;
  if (refused || rows === 0) return { ...counts, refused };
  const { dryRun, keepGoing } = o;
  o.progress.show(1, `${rows.toLocaleString("en")} lines checked; applying`);
  const request = { importId, rows, dryRun, keepGoing };
  const { summary } = await client.commitImport(request, options);
  const { created = 0, updated = 0, unchanged = 0 } = summary ?? {};
  return { ...counts, created, updated, unchanged, refused };
}

interface Batch {
  readonly rows: Row[];
  readonly problems: ImportProblem[];
  /** Share of the file that was read; undefined: unknown. */
  readonly share: number | undefined;
}

async function* batchesOf(o: ImportOptions): AsyncIterable<Batch> {
  try {
    const size = o.file === "-" ? undefined : (await stat(o.file)).size;
    let read = 0;
    const counted = (async function* () {
      const source = o.file === "-" ? process.stdin : createReadStream(o.file);
      for await (const bytes of source) {
        read += bytes.length;
        yield bytes as Uint8Array;
      }
    })();
    const batchOf = () => ({ rows: [], problems: [], share: size ? read / size : undefined });
    let batch: Batch = batchOf();
    let characters = 0;
    for await (const line of readGoods(counted, o.format)) {
      if ("problems" in line) batch.problems.push(...line.problems);
      else {
        batch.rows.push(line.cells);
        characters += lengthOf(line.cells);
      }
      if (batch.rows.length < maxRows && characters < maxCharacters) continue;
      yield batch;
      batch = batchOf();
      characters = 0;
    }
    yield batch;
  } catch (error) {
    const { syscall } = error as { syscall?: string };
    if (!(error instanceof GoodsFileError) && syscall === undefined) throw error;
    throw new CommandError(`${o.file}: ${(error as Error).message}`, { cause: error });
  }
}

function lengthOf(row: Row): number {
  return Object.values(row).reduce(
    (sum: number, cell) => sum + (typeof cell === "string" ? cell.length : 0),
    0,
  );
}
