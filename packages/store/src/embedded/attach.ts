import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { databaseUrl, passwordFile } from "./cluster.ts";
import { readPostmasterFile } from "./postmaster-file.ts";

/**
 * The URL of the embedded database that a process runs in this state folder just now; undefined where none does. For tools that
 * look into a running SmartCart. Throws where the password file may not be read.
 */
export async function findEmbeddedPostgres(o: {
  stateDirectory: string;
}): Promise<string | undefined> {
  const root = join(o.stateDirectory, "postgres");
  const file = await readPostmasterFile(join(root, "data"));
  if (file === undefined) return undefined;
  const password = await readFile(passwordFile(root), "utf8");
  return databaseUrl(password.trim(), file.port);
}
