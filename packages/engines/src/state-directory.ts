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
 * Makes the state folder so that nobody but its owner can read what is in it, whatever the umask, and repairs one that is open: secrets,
 * order ids and the database are in there. For root, whose servers run as other users, it can be entered but not listed.
 *
 * A folder that holds anything else (`SMARTCART_STATE=/tmp`) is not ours to close; then only the files are.
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

/** Takes away permissions beyond `mode` from what belongs to this user and is no link; from a file also the one to execute it. */
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
