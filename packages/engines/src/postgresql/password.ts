import { randomBytes } from "node:crypto";
import { chown, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isPresent } from "../files.ts";
import type { OsUser } from "../os-user.ts";

/** The only user of the embedded database, and the name of the database. */
export const databaseUser = "smartcart";

/**
 * The URL of the database of the server on that port of this machine. It sets what the driver would otherwise read from PGSSLMODE and
 * PGSSLNEGOTIATION of a shell, which are meant for another server.
 */
export function databaseUrl(password: string, port: number): string {
  return `postgres://${databaseUser}:${password}@127.0.0.1:${port}/${databaseUser}?sslmode=disable&sslnegotiation=postgres`;
}

export function passwordFile(directory: string): string {
  return join(directory, "password");
}

export async function readPassword(directory: string): Promise<string> {
  return (await readFile(passwordFile(directory), "utf8")).trim();
}

/** Makes a random password unless there is one, in a file that only its owner can read. `initdb` reads it. */
export async function ensurePassword(directory: string, owner: OsUser | undefined): Promise<void> {
  const path = passwordFile(directory);
  if (!(await isPresent(path))) {
    await writeFile(path, randomBytes(24).toString("base64url"), { mode: 0o600 });
  }
  if (owner) await chown(path, owner.uid, owner.gid);
}
