import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, link, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { StartError } from "@smartcart/runtime";
import type { Account } from "./account.ts";
import { spawnAs } from "./account.ts";
import { isPresent, unfinishedName } from "./files.ts";
import type { Place } from "./place.ts";
import { isAlive } from "./processes.ts";

const execute = promisify(execFile);

/** The only user of the embedded database, and the name of the database. */
export const databaseUser = "smartcart";

/**
 * The database of the server that listens on the port of this machine. It says what the driver would otherwise take from
 * PGSSLMODE and PGSSLNEGOTIATION: those of a shell are meant for another server.
 */
export function databaseUrl(password: string, port: number, database = databaseUser): string {
  return `postgres://${databaseUser}:${password}@127.0.0.1:${port}/${database}?sslmode=disable&sslnegotiation=postgres`;
}

/** By this process, of whatever start. */
const beingMade = new Set<string>();

/** The random password, from the file that only its owner can read; made at the first call. */
export async function readPassword(root: string, account: Account | undefined): Promise<string> {
  const path = passwordFile(root);
  if (!(await isPresent(path))) {
    const fresh = unfinishedName(path);
    await writeFile(fresh, randomBytes(24).toString("base64url"), { mode: 0o600 });
    // unlike a rename, a link does not replace the password that another first start has just put there
    await link(fresh, path).catch(() => {});
    await rm(fresh);
  }
  // initdb reads it
  if (account) await chown(path, account.uid, account.gid);
  return (await readFile(path, "utf8")).trim();
}

/**
 * Makes the data folder unless there is one. It is made under another name and moved into place when complete, so that a
 * start that was killed half way, or two first starts at once, do no harm.
 */
export async function initialiseCluster(o: Place): Promise<void> {
  if (await isPresent(o.dataDirectory)) return;
  await removeUnfinished(o);
  const unfinished = unfinishedName(o.dataDirectory);
  beingMade.add(unfinished);
  await runInitdb(o, unfinished);
  try {
    await rename(unfinished, o.dataDirectory);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await isPresent(o.dataDirectory))) throw error;
  }
  await syncFolder(dirname(o.dataDirectory));
}

export function passwordFile(root: string): string {
  return join(root, "password");
}

async function runInitdb(o: Place, directory: string): Promise<void> {
  const args = [
    `--pgdata=${directory}`,
    `--username=${databaseUser}`,
    `--pwfile=${passwordFile(o.root)}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // PostgreSQL's own collation: the same order on every machine, whichever locales it has
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    // one call for the whole file system rather than one for each of a thousand small files
    ...(process.platform === "linux" ? ["--sync-method=syncfs"] : []),
    ...(o.durable ? [] : ["--no-sync"]),
  ];
  try {
    await execute(join(o.binaries.directory, "bin", "initdb"), args, {
      cwd: o.root,
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
      ...spawnAs(o.account),
    });
  } catch (cause) {
    const { stderr = "", message } = cause as { stderr?: string; message: string };
    const reason = stderr.split("\n").find((line) => line.includes("error:")) ?? message;
    if (/could not look up effective user ID/.test(reason))
      throw nameless(o.account?.uid ?? process.getuid?.(), cause);
    throw new StartError(
      `SMARTCART_STATE=${o.stateDirectory}: the database could not be created: ${reason.trim()}`,
      { variable: "SMARTCART_STATE", cause },
    );
  }
}

function nameless(uid: number | undefined, cause: unknown): StartError {
  return new StartError(
    `the embedded PostgreSQL needs an entry in /etc/passwd for the user with the id ${uid} that SmartCart runs as: ` +
      "start SmartCart as a user that has one, or set DATABASE_URL to a PostgreSQL server",
    { variable: "DATABASE_URL", cause },
  );
}

/** What starts left that were killed while they made the folder. */
async function removeUnfinished(o: Place): Promise<void> {
  for (const entry of await readdir(o.root)) {
    const path = join(o.root, entry);
    const pid = Number(/^data\.(\d+)\./.exec(entry)?.[1]);
    const abandoned = pid === process.pid ? !beingMade.has(path) : pid > 0 && !isAlive(pid);
    if (abandoned) await rm(path, { recursive: true, force: true });
  }
}

async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
