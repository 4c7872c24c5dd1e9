import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { delay } from "@smartcart/runtime";
import { worksIn } from "../process-identity.ts";

/** The fields of a running server's `postmaster.pid` (PostgreSQL source, miscadmin.h, LOCK_FILE_LINE_*). */
interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  /** "starting", "ready", "stopping", … */
  readonly status: string;
}

/** A server that has just created its file writes it within that time. */
const emptyForMs = 2_000;

export function postmasterFile(dataDirectory: string): string {
  return join(dataDirectory, "postmaster.pid");
}

/** Undefined when there is none, or it is not complete yet. */
export async function readPostmasterFile(
  dataDirectory: string,
): Promise<PostmasterFile | undefined> {
  const text = await readFile(postmasterFile(dataDirectory), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!(pid > 0)) return undefined;
  return { pid, port: Number(lines[3]), status: lines[7]?.trim() ?? "" };
}

/**
 * The process id of the server that runs on the data. A server changes to its data directory before it writes the file, so that a
 * process with another working directory has a reused id.
 */
export async function findPostmaster(dataDirectory: string): Promise<number | undefined> {
  for (;;) {
    const found = await stat(postmasterFile(dataDirectory)).catch(() => undefined);
    if (!found) return undefined;
    const file = await readPostmasterFile(dataDirectory);
    if (file) return (await worksIn(file.pid, dataDirectory)) ? file.pid : undefined;
    if (Date.now() - found.mtimeMs > emptyForMs) return undefined;
    await delay(20);
  }
}
