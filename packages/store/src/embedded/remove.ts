import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@smartcart/runtime";
import { isPresent } from "./files.ts";
import { waitUntilVacant } from "./owner.ts";

export interface RemoveOptions {
  /** The folder that `startEmbeddedPostgres` was given. */
  stateDirectory: string;
  log: Logger;
}

/**
 * Deletes the embedded database and everything in it, for a start with an empty one. Nothing to delete is no error; one that
 * another process uses is a StartError that names that process.
 */
export async function removeEmbeddedPostgres(o: RemoveOptions): Promise<void> {
  const { stateDirectory, log } = o;
  const root = join(stateDirectory, "postgres");
  if (!(await isPresent(root))) return;
  await waitUntilVacant({ stateDirectory, root, dataDirectory: join(root, "data") }, log);
  await rm(root, { recursive: true, force: true });
}
