import type { ImportChange, ImportSummary } from "@smartcart/gen/inventory/v1/catalogue_import_pb";
import type { CatalogueAdminClient } from "../../api/ops.ts";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { GoodsProblem, GoodsRow } from "./goods-columns.ts";
import { GoodsFileError } from "./goods-columns.ts";
import { readGoods } from "./goods-file.ts";

/** A file of goods on its way into the catalogue. Nothing changes before `commit`. */
export interface GoodsImport {
  get(): ImportState;
  /** Reads and checks a file, and finds out what it would change. */
  check(file: File): void;
  /** Shows more of what would change. */
  moreChanges(): void;
  /** Applies all of it; with `keepGoing` the good lines, although there are bad ones. */
  commit(keepGoing: boolean): void;
  /** Forgets the file. */
  cancel(): void;
}

/** An import is checked first and changes nothing until it is committed. */
export interface ImportState {
  readonly phase: "idle" | "checking" | "checked" | "committing" | "done" | "failed";
  readonly fileName: string;
  /** Read so far, 0 to 1. */
  readonly share: number;
  /** Lines that the service has, good or bad. */
  readonly rows: number;
  readonly summary: ImportSummary | undefined;
  /** The first {@link maxProblems}. */
  readonly problems: readonly GoodsProblem[];
  /** Lines that are bad. */
  readonly badLines: number;
  readonly changes: readonly ImportChange[];
  /** Where the changes go on; 0: there are no more. */
  readonly lastLine: number;
  readonly complaint: string;
}

/** Problems that are kept: a file in which each cell is wrong must not fill the memory. */
export const maxProblems = 5_000;

/** Lines and characters of one call: it has to pass the page's server. */
const maxRows = 500;
const maxCharacters = 60_000;

const idle: ImportState = {
  phase: "idle",
  fileName: "",
  share: 0,
  rows: 0,
  summary: undefined,
  problems: [],
  badLines: 0,
  changes: [],
  lastLine: 0,
  complaint: "",
};

export function createGoodsImport(
  { shop, catalogue, access, signal }: Console,
  onCommitted: () => void,
): GoodsImport {
  let state = idle;
  let importId = "";
  let end = new AbortController();
  const change = (part: Partial<ImportState>): void => {
    state = { ...state, ...part };
    shop.refresh();
  };

  const commit = async (keepGoing: boolean, call: { signal: AbortSignal }): Promise<void> => {
    change({ phase: "committing", complaint: "" });
    const request = { importId, rows: state.rows, keepGoing };
    const { summary } = await catalogue.commitImport(request, call);
    change({ phase: "done", summary });
    onCommitted();
  };

  /** Runs a step. A failure is shown; a cancelled step leaves no trace. */
  const run = (work: (call: { signal: AbortSignal }) => Promise<void>): void => {
    const mine = end;
    work({ signal: AbortSignal.any([mine.signal, signal]) }).catch((error: unknown) => {
      if (mine.signal.aborted || signal.aborted) return;
      const isKnown = error instanceof GoodsFileError;
      const complaint = isKnown ? error.message : access.isDenied(error) ? "" : complaintOf(error);
      // What was staged can still be committed, and again: a repetition changes nothing.
      change({ phase: state.phase === "committing" ? "checked" : "failed", complaint });
    });
  };

  return {
    get: () => state,
    check(file) {
      end.abort();
      end = new AbortController();
      importId = crypto.randomUUID();
      state = { ...idle, phase: "checking", fileName: file.name };
      shop.refresh();
      run(async (call) => {
        await checkFile({ catalogue, importId, file, call, change });
        shop.focus("#import-preview");
      });
    },
    moreChanges: () =>
      run(async (call) => {
        const request = { importId, afterLine: state.lastLine };
        const { changes, lastLine } = await catalogue.listImportChanges(request, call);
        change({ changes: [...state.changes, ...changes], lastLine });
      }),
    commit: (keepGoing) => run((call) => commit(keepGoing, call)),
    cancel() {
      end.abort();
      state = idle;
      shop.focus("#import-file");
    },
  };
}

interface Check {
  readonly catalogue: CatalogueAdminClient;
  readonly importId: string;
  readonly file: File;
  readonly call: { readonly signal: AbortSignal };
  readonly change: (part: Partial<ImportState>) => void;
}

/** Stages the lines of a file, and finds out what they would change. */
async function checkFile({ catalogue, importId, file, call, change }: Check): Promise<void> {
  const bad = new Set<number>();
  let [share, rows] = [0, 0];
  let problems: readonly GoodsProblem[] = [];
  const report = (found: readonly GoodsProblem[]): void => {
    for (const { line } of found) bad.add(line);
    problems = [...problems, ...found].slice(0, maxProblems);
  };
  const lines = readGoods(file, (bytes) => {
    share = bytes / Math.max(1, file.size);
  });
  for await (const batch of batchesOf(lines)) {
    report(batch.problems);
    if (batch.rows.length > 0) {
      const answer = await catalogue.stageImport({ importId, rows: batch.rows }, call);
      report(answer.problems);
      rows += batch.rows.length;
    }
    change({ share, rows, problems, badLines: bad.size });
  }
  if (rows === 0) return change({ phase: "checked" });
  const { summary } = await catalogue.commitImport({ importId, rows, dryRun: true }, call);
  const { changes, lastLine } = await catalogue.listImportChanges({ importId }, call);
  change({ phase: "checked", summary, changes, lastLine });
}

interface Batch {
  readonly rows: GoodsRow[];
  readonly problems: GoodsProblem[];
}

async function* batchesOf(lines: ReturnType<typeof readGoods>): AsyncGenerator<Batch> {
  let batch: Batch = { rows: [], problems: [] };
  let characters = 0;
  for await (const line of lines) {
    if ("problem" in line) batch.problems.push(line.problem);
    else {
      const length = Object.values(line.row).reduce<number>(
        (sum, cell) => sum + String(cell).length,
        0,
      );
      if (batch.rows.length === maxRows || characters + length > maxCharacters) {
        yield batch;
        [batch, characters] = [{ rows: [], problems: [] }, 0];
      }
      batch.rows.push(line.row);
      characters += length;
    }
    if (batch.problems.length === maxRows) {
      yield batch;
      [batch, characters] = [{ rows: [], problems: [] }, 0];
    }
  }
  yield batch;
}
