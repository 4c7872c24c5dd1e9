/*
 * One process at a time owns a data directory. The file `owner.json` in it names that process and the server that runs for
 * it, so that a second start can name the first one, and an orphan can be told from a server in use.
 */
import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { processExists } from "@smartcart/runtime";
import { identityOf } from "./process-identity.ts";

interface Owner {
  readonly pid: number;
  /** See `identityOf`: process ids come round again. */
  readonly identity?: string | undefined;
  /** The server that runs for it; unset until that is ready. */
  readonly serverPid?: number | undefined;
}

/** This process owns the directory until it disposes of the lock, or ends. */
export interface DirectoryLock extends AsyncDisposable {
  /** The server of the previous owner, which died without stopping it. Perhaps it still runs. */
  readonly orphanPid: number | undefined;
  /** Notes the server that runs for this process. */
  setServer(pid: number): Promise<void>;
}

/** A living process owns the directory, or a server that nothing started by us owns runs on it. */
export class DirectoryInUseError extends Error {
  readonly code = "DIRECTORY_IN_USE";
  readonly pid: number;

  constructor(directory: string, pid: number) {
    super(`${directory} is in use by process ${pid}`);
    this.pid = pid;
  }
}

/** Makes this process the owner of an existing directory. Throws DirectoryInUseError while another start has it. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const file = join(directory, "owner.json");
  const mine: Owner = { pid: process.pid, identity: await identityOf(process.pid) };
  let orphanPid: number | undefined;
  while (!(await createOwner(file, { ...mine, serverPid: orphanPid }))) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const owner = parseOwner(text);
    if (await isAlive(owner)) throw new DirectoryInUseError(directory, owner.pid);
    orphanPid = owner.serverPid;
    await removeStale(file, text);
  }
  return {
    orphanPid,
    async setServer(serverPid) {
      const next = unfinishedName(file);
      await writeFile(next, JSON.stringify({ ...mine, serverPid }));
      await rename(next, file);
    },
    [Symbol.asyncDispose]: () => rm(file, { force: true }),
  };
}

/** Never replaces a file that is there: unlike a rename, a link fails then. */
async function createOwner(file: string, owner: Owner): Promise<boolean> {
  const complete = unfinishedName(file);
  await writeFile(complete, JSON.stringify(owner));
  try {
    await link(complete, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    await rm(complete, { force: true });
  }
}

/** A file that a crash of the machine left empty is of a process that is gone. */
function parseOwner(text: string): Owner {
  try {
    return JSON.parse(text);
  } catch {
    return { pid: 0 };
  }
}

async function isAlive(owner: Owner): Promise<boolean> {
  if (!(owner.pid > 0) || !processExists(owner.pid)) return false;
  return owner.identity === undefined || owner.identity === (await identityOf(owner.pid));
}

/** Another start may have replaced the stale file between the look and the removal: then it is put back. */
async function removeStale(file: string, stale: string): Promise<void> {
  const aside = unfinishedName(file);
  await rename(file, aside).catch(() => {});
  const moved = await readFile(aside, "utf8").catch(() => stale);
  if (moved !== stale) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}

function unfinishedName(file: string): string {
  return `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
}
