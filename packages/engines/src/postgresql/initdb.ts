import { execFile } from "node:child_process";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { StartError } from "@smartcart/runtime";
import { isPresent } from "../files.ts";
import type { OsUser } from "../os-user.ts";
import { databaseUser, passwordFile } from "./password.ts";

const execute = promisify(execFile);

/** What a database is made with. */
interface InitdbOptions {
  /** Folder with bin, lib and share of PostgreSQL. */
  readonly binaries: string;
  /** Folder of all that belongs to the server. */
  readonly directory: string;
  /** Data directory of PostgreSQL, in that folder. */
  readonly dataDirectory: string;
  /** The directory, for messages: "SMARTCART_STATE=/var/lib/smartcart". */
  readonly subject: string;
  readonly osUser: OsUser | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** False: nothing is flushed to disk. */
  readonly durable: boolean;
}

/**
 * Makes the data directory with the database `smartcart` unless there is one. It is made under another name and moved into place when
 * complete, so that a start that was killed half way does no harm.
 */
export async function ensureDatabase(o: InitdbOptions): Promise<void> {
  if (await isPresent(o.dataDirectory)) return;
  for (const entry of await readdir(o.directory)) {
    if (entry.startsWith("data.")) {
      await rm(join(o.directory, entry), { recursive: true, force: true });
    }
  }
  const unfinished = `${o.dataDirectory}.unfinished`;
  try {
    await runInitdb(o, unfinished);
    await createDatabase(o, unfinished);
  } catch (error) {
    throw explain(o, error);
  }
  await rename(unfinished, o.dataDirectory);
  await using directory = await open(o.directory, "r");
  await directory.sync();
}

async function runInitdb(o: InitdbOptions, dataDirectory: string): Promise<void> {
  await run(o, "initdb", [
    `--pgdata=${dataDirectory}`,
    `--username=${databaseUser}`,
    `--pwfile=${passwordFile(o.directory)}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // PostgreSQL's own collation: the same order on every machine, whichever locales it has
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    // one call for the whole file system rather than one for each of a thousand small files
    ...(process.platform === "linux" ? ["--sync-method=syncfs"] : []),
    ...(o.durable ? [] : ["--no-sync"]),
  ]);
}

/** In single-user mode, which needs no port and no password. */
async function createDatabase(o: InitdbOptions, dataDirectory: string): Promise<void> {
  const fsync = o.durable ? "on" : "off";
  const args = ["--single", "-D", dataDirectory, "-c", `fsync=${fsync}`, "postgres"];
  const { stderr } = await run(o, "postgres", args, `create database ${databaseUser}\n`);
  // It goes on after an error, and ends with 0.
  if (/(ERROR|FATAL|PANIC):/.test(stderr)) {
    throw Object.assign(new Error("create database failed"), { stderr });
  }
}

async function run(o: InitdbOptions, program: string, args: readonly string[], input = "") {
  const running = execute(join(o.binaries, "bin", program), [...args], {
    cwd: o.directory,
    env: o.env,
    ...o.osUser,
  });
  running.child.stdin?.end(input);
  return running;
}

function explain(o: InitdbOptions, cause: unknown): StartError {
  const { stderr = "", message } = cause as { stderr?: string; message: string };
  const line = stderr.split("\n").find((text) => /(error|ERROR|FATAL|PANIC):/.test(text));
  const reason = line ?? message;
  if (/could not look up effective user ID/.test(reason)) {
    const uid = o.osUser?.uid ?? process.getuid?.();
    return new StartError(
      `the embedded PostgreSQL needs an entry in /etc/passwd for the user with the id ${uid} that SmartCart runs as: ` +
        "start SmartCart as a user that has one, or set DATABASE_URL to a PostgreSQL server",
      { variable: "DATABASE_URL", cause },
    );
  }
  return new StartError(`${o.subject}: the database could not be created: ${reason.trim()}`, {
    variable: "SMARTCART_STATE",
    cause,
  });
}
