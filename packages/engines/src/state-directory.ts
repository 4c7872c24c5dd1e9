import { chmod, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isPresent, makeDirectory } from "./files.ts";

/** What SmartCart keeps in its state folder. */
const ownEntries: ReadonlySet<string> = new Set([
  "installation-id",
  "postgres",
  "rabbitmq",
  "running.json",
  "shipping.log",
]);

/**
 * Makes the state folder so that only its owner can read it, whatever the umask, and corrects the mode of an existing one: it contains
 * secrets, order ids and the database. For root, whose servers run as other users, it can be entered but not listed.
 *
 * In a folder with other entries (`SMARTCART_STATE=/tmp`) only the modes of our own files are changed.
 */
export async function makeStateDirectory(path: string): Promise<void> {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  if (!(await isPresent(path))) {
    await makeDirectory(path, undefined);
    await chmod(path, mode);
    return;
  }
  const entries = await readdir(path);
  if (entries.every((name) => ownEntries.has(name))) await closeTo(path, mode);
  for (const name of entries.filter((one) => ownEntries.has(one))) {
    // Another process of this installation may delete its files meanwhile: `running.json` when it stops.
    await closeTo(join(path, name), 0o700).catch(unlessGone);
  }
}

/** Removes permissions beyond `mode`, of a file also the one to execute it, unless it is a link or belongs to another user. */
async function closeTo(path: string, mode: number): Promise<void> {
  const found = await lstat(path);
  const allowed = found.isDirectory() ? mode : mode & 0o666;
  const isOpen = (found.mode & 0o777 & ~allowed) !== 0;
  if (isOpen && !found.isSymbolicLink() && found.uid === process.getuid?.())
    await chmod(path, allowed);
}

function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
