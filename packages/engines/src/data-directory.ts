import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@smartcart/runtime";
import { StartError } from "@smartcart/runtime";
import { unfinishedName } from "./files.ts";
import type { Place } from "./place.ts";
import { findPostmaster } from "./postmaster-file.ts";
import { identityOf, isAlive } from "./processes.ts";

/*
 * PostgreSQL's own lock file decides who may run on a data folder. What it does not know is for whom it runs: that is
 * kept beside it, so that a second start can name the first one, and so that an orphan can be told from a server in use.
 */

interface Owner {
  readonly pid: number;
  /** See `identityOf`: process ids come round again. */
  readonly identity: string | undefined;
  readonly postmasterPid: number;
}

/** Says for whom the server runs. To be called as soon as it is ready. */
export async function writeOwner(root: string, postmasterPid: number): Promise<void> {
  const owner: Owner = { pid: process.pid, identity: await identityOf(process.pid), postmasterPid };
  const path = unfinishedName(pathOf(root));
  await writeFile(path, `${JSON.stringify(owner)}\n`);
  await rename(path, pathOf(root));
}

/** To be called when the server has stopped. */
export async function removeOwner(root: string): Promise<void> {
  const owner = await readOwner(root);
  if (owner?.pid === process.pid) await rm(pathOf(root), { force: true });
}

const orphanStopsWithinMs = 10_000;
const ownerShowsWithinMs = 60_000;

/**
 * Resolves when no server runs on the data folder. One that a living process owns is a StartError which names that
 * process. An orphan is stopping already, since its guard notices the death of the owner; one that is not is stopped here.
 */
export async function waitUntilVacant(
  o: Pick<Place, "stateDirectory" | "root" | "dataDirectory">,
  log: Logger,
): Promise<void> {
  const startedAtMs = Date.now();
  let told = false;
  for (;;) {
    const postmasterPid = await findPostmaster(o.dataDirectory);
    if (postmasterPid === undefined) return;
    if (postmasterPid === "unclear") {
      await sleep(20);
      continue;
    }
    const owner = await readOwner(o.root);
    const known = owner?.postmasterPid === postmasterPid;
    if (known && (await isSameProcess(owner))) throw inUse(o, owner.pid);
    const waitedMs = Date.now() - startedAtMs;
    // Unknown: somebody else is just starting it, or died while doing so.
    if (!known && waitedMs > ownerShowsWithinMs) throw inUse(o, postmasterPid);
    if (known && waitedMs > orphanStopsWithinMs) process.kill(postmasterPid, "SIGINT");
    if (!told) log.warn("database.waiting_for_previous", { postmasterPid });
    told = true;
    await sleep(known && waitedMs > orphanStopsWithinMs ? 1_000 : 20);
  }
}

function inUse(o: Pick<Place, "stateDirectory">, pid: number): StartError {
  return new StartError(
    `SMARTCART_STATE=${o.stateDirectory} is in use by process ${pid}: stop that process, ` +
      "or set SMARTCART_STATE to another folder",
    { variable: "SMARTCART_STATE" },
  );
}

async function isSameProcess(owner: Owner): Promise<boolean> {
  if (!isAlive(owner.pid)) return false;
  return owner.identity === undefined || owner.identity === (await identityOf(owner.pid));
}

async function readOwner(root: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(pathOf(root), "utf8"));
  } catch {
    // none, or a first start
    return undefined;
  }
}

function pathOf(root: string): string {
  return join(root, "owner.json");
}
