/*
 * One process at a time owns a data directory. The file `owner.json` in it names that process and the server that runs for
 * it, so that a second start can name the first one, and an orphan can be told from a server in use.
 */
import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { delay, processExists } from "@smartcart/runtime";
import { identityOf } from "./process-identity.ts";

interface Owner {
  readonly pid: number;
  /** See `identityOf`: the system reuses process ids. */
  readonly identity?: string | undefined;
  /** The server that runs for it; unset until that is ready. */
  readonly serverPid?: number | undefined;
}

/** This process owns the directory until it disposes of the lock, or ends. */
export interface DirectoryLock extends AsyncDisposable {
  /** The server of the previous owner, which died without stopping it; it may still run. */
  readonly orphanPid: number | undefined;
  /** Stores the id of the server that runs for this process. */
  setServer(pid: number): Promise<void>;
}

/** A running process owns the directory, or a server of unknown origin runs on it. */
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
  while (!(await create(file, mine))) {
    const text = await read(file);
    if (text === undefined) continue;
    const owner = parse(text);
    if (await ownerExists(owner)) throw new DirectoryInUseError(directory, owner.pid);
    orphanPid = owner.serverPid;
    if (await takeOver(file, text, { ...mine, serverPid: orphanPid })) break;
  }
  return {
    orphanPid,
    setServer: (serverPid) => replace(file, { ...mine, serverPid }),
    [Symbol.asyncDispose]: () => rm(file, { force: true }),
  };
}

/**
 * Replaces the file of an owner that has died. Only one process succeeds: the one that has created the second file and then finds the
 * first one unchanged.
 */
async function takeOver(file: string, stale: string, mine: Owner): Promise<boolean> {
  const claim = `${file}.takeover`;
  if (!(await create(claim, mine))) {
    const text = await read(claim);
    // Left by a process that was killed while it did this.
    if (text !== undefined && !(await ownerExists(parse(text)))) await rm(claim, { force: true });
    await delay(5);
    return false;
  }
  try {
    if ((await read(file)) !== stale) return false;
    await replace(file, mine);
    return true;
  } finally {
    await rm(claim, { force: true });
  }
}

/** Never replaces an existing file: unlike a rename, a link fails then. */
async function create(file: string, owner: Owner): Promise<boolean> {
  const complete = await writeBeside(file, owner);
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

async function replace(file: string, owner: Owner): Promise<void> {
  await rename(await writeBeside(file, owner), file);
}

async function writeBeside(file: string, owner: Owner): Promise<string> {
  const path = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(path, JSON.stringify(owner));
  return path;
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

/** An empty file was left by a crash of the machine: its process has ended. */
function parse(text: string): Owner {
  try {
    return JSON.parse(text);
  } catch {
    return { pid: 0 };
  }
}

async function ownerExists(owner: Owner): Promise<boolean> {
  if (!(owner.pid > 0) || !processExists(owner.pid)) return false;
  return owner.identity === undefined || owner.identity === (await identityOf(owner.pid));
}
