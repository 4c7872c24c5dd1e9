/** The file that a server writes its output to. */
import { open, stat, truncate } from "node:fs/promises";

const keptBytes = 5_000_000;
const readBytes = 20_000;

/** Empties the file when it has grown large. Returns the position at which the output of the next start begins. */
export async function shortenLog(file: string): Promise<number> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size <= keptBytes) return size;
  await truncate(file, 0);
  return 0;
}

/** What was written from there on, at most 20 kB. */
export async function readLog(file: string, from: number): Promise<string> {
  await using log = await open(file, "r");
  const { buffer, bytesRead } = await log.read(Buffer.alloc(readBytes), 0, readBytes, from);
  return buffer.toString("utf8", 0, bytesRead);
}
