/**
 * What runs in a state folder: a note that `smartcart up` leaves there for the tools that look into it, which else would have to be told
 * its ports and its queue. It holds the broker's password and the secret of the services, so only its
 * owner may read it.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TlsConfig } from "@smartcart/identity";
import { processExists } from "@smartcart/runtime";

/** A SmartCart that runs in one process. */
export interface RunningNote {
  readonly pid: number;
  /** Unset: the queue on PostgreSQL. */
  readonly amqpUrl?: string;
  /** With it, the tools authenticate as a service. */
  readonly meshSecret?: string;
  /** Where the certificates are by which the services are known, if their ports speak TLS. */
  readonly tls?: TlsConfig;
  /** Base URL by service. */
  readonly urls: Readonly<Record<string, string>>;
}

const fileIn = (stateDirectory: string) => join(stateDirectory, "running.json");

/** Leaves the note; disposing takes it away. */
export async function leaveRunningNote(
  stateDirectory: string,
  note: RunningNote,
): Promise<AsyncDisposable> {
  const file = fileIn(stateDirectory);
  await mkdir(stateDirectory, { recursive: true });
  await rm(file, { force: true });
  await writeFile(file, JSON.stringify(note), { mode: 0o600 });
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

/** The note of a process that is still alive; undefined where there is none. */
export async function readRunningNote(stateDirectory: string): Promise<RunningNote | undefined> {
  const text = await readFile(fileIn(stateDirectory), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const note = parsed(text);
  return note !== undefined && processExists(note.pid) ? note : undefined;
}

/** Undefined for a note that a full disk or a killed process has left incomplete. */
function parsed(text: string): RunningNote | undefined {
  try {
    return JSON.parse(text) as RunningNote;
  } catch {
    return undefined;
  }
}
