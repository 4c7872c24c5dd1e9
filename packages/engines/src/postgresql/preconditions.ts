/** Conditions for starting PostgreSQL; each that does not hold is a StartError that says what to do. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StartError } from "@smartcart/runtime";
import { isPresent } from "../files.ts";
import type { OsUser } from "../os-user.ts";
import { findAccessProblem } from "../os-user.ts";
import { passwordFile } from "./password.ts";

/** Throws a StartError where PostgreSQL would run as root, which it does not allow. */
export function assertNotRoot(osUser: OsUser | undefined): void {
  if (osUser !== undefined || process.getuid?.() !== 0) return;
  throw new StartError(
    'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to run it as: ' +
      "start SmartCart as another user, or set DATABASE_URL to a PostgreSQL server",
    { variable: "DATABASE_URL" },
  );
}

/** The server's user can enter the directory and write to it. */
export async function assertUsable(o: {
  readonly directory: string;
  readonly subject: string;
  readonly osUser: OsUser | undefined;
}): Promise<void> {
  const problem = await findAccessProblem(o.directory, o.osUser);
  if (problem === undefined) return;
  const [user, remedy] = o.osUser
    ? [
        `PostgreSQL, which cannot run as root and runs as the user with the id ${o.osUser.uid} instead,`,
        "a folder that every user can enter, such as /var/lib/smartcart",
      ]
    : ["the current user", "a folder of your own"];
  throw new StartError(
    `${o.subject} cannot be used: ${user} cannot ${problem}; set SMARTCART_STATE to ${remedy}`,
    { variable: "SMARTCART_STATE" },
  );
}

/** What is in the data directory, if anything, is of this major version and has its password. */
export async function assertOurData(o: {
  readonly directory: string;
  readonly dataDirectory: string;
  readonly subject: string;
  readonly major: string;
}): Promise<void> {
  const { subject, dataDirectory, major } = o;
  if (!(await isPresent(dataDirectory))) return;
  const version = await readFile(join(dataDirectory, "PG_VERSION"), "utf8").catch(() => "");
  if (version.trim() !== major) {
    const found = version.trim()
      ? `is of PostgreSQL ${version.trim()}`
      : "is not one of PostgreSQL";
    throw new StartError(
      `${subject}: the folder ${dataDirectory} ${found}, but this SmartCart ` +
        `brings PostgreSQL ${major}: dump and restore it with the old version, ` +
        "or set SMARTCART_STATE to a new folder",
      { variable: "SMARTCART_STATE" },
    );
  }
  const password = passwordFile(o.directory);
  if (await isPresent(password)) return;
  throw new StartError(
    `${subject}: the password of the database in ${password} is missing: restore that file, or set SMARTCART_STATE to a new folder`,
    { variable: "SMARTCART_STATE" },
  );
}
