import { readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isPostmasterOf } from "./processes.ts";

/** What a running server says of itself in `postmaster.pid` (PostgreSQL source, miscadmin.h, LOCK_FILE_LINE_*). */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  /** "starting", "ready", "stopping", … */
  readonly status: string;
}

const emptyForMs = 2_000;

/** Undefined when there is none, or it is not complete yet. */
export async function readPostmasterFile(
  dataDirectory: string,
): Promise<PostmasterFile | undefined> {
  const text = await readFile(pathOf(dataDirectory), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!(pid > 0)) return undefined;
  return { pid, port: Number(lines[3]), status: lines[7]?.trim() ?? "" };
}

/**
 * The process id of the server that runs on the data folder; "unclear" for the moment in which one begins to.
 *
 * A file that was left behind is removed when its id now belongs to another program, or when it stays empty: PostgreSQL
 * itself takes both for a running server. (A server enters its data folder before it writes the file, so one that is alive
 * and elsewhere is a stranger.)
 */
export async function findPostmaster(
  dataDirectory: string,
): Promise<number | "unclear" | undefined> {
  const path = pathOf(dataDirectory);
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  const file = await readPostmasterFile(dataDirectory);
  if (file && (await isPostmasterOf(file.pid, dataDirectory))) return file.pid;
  if (!file && Date.now() - found.mtimeMs < emptyForMs) return "unclear";
  await discard(path, file?.pid);
  return undefined;
}

async function discard(path: string, pid: number | undefined): Promise<void> {
  const aside = `${path}.stale`;
  await rename(path, aside).catch(() => {});
  const moved = await readFile(aside, "utf8").catch(() => "");
  // a new server may have put its own there between the look and the move
  const isAnother = moved !== "" && Number(moved.split("\n")[0]) !== pid;
  if (isAnother) await rename(aside, path);
  else await rm(aside, { force: true });
}

function pathOf(dataDirectory: string): string {
  return join(dataDirectory, "postmaster.pid");
}
