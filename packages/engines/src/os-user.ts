import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { StartError } from "@smartcart/runtime";

const execute = promisify(execFile);

/** The operating system's user that PostgreSQL runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. Root therefore runs it as the owner of the data where there is some, else as the
 * user "postgres" where one exists, else as "nobody". Undefined for everybody else, who run it as themselves.
 */
export async function chooseAccount(dataDirectory: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(dataDirectory).catch(() => undefined);
  if (owner && owner.uid !== 0) return { name: `#${owner.uid}`, uid: owner.uid, gid: owner.gid };
  const accounts = await readAccounts();
  const account = accounts.get("postgres") ?? accounts.get("nobody");
  if (account) return account;
  throw new StartError(
    'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to run it as: ' +
      "start SmartCart as another user, or set DATABASE_URL to a PostgreSQL server",
    { variable: "DATABASE_URL" },
  );
}

/** What `spawn` needs to start something as that account. */
export function spawnAs(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

/**
 * Throws a StartError unless the account can enter the folder and write to it. Asked of the system by doing it: modes
 * alone do not tell (access lists, read-only mounts).
 */
export async function assertUsable(
  stateDirectory: string,
  folder: string,
  account: Account | undefined,
): Promise<void> {
  const steps = ancestorsOf(folder);
  const script =
    'for d; do cd "$d" 2>/dev/null || { echo "enter $d"; exit 1; }; done; [ -w . ] || { echo "write to $d"; exit 1; }';
  try {
    await execute("/bin/sh", ["-c", script, "sh", ...steps], { cwd: "/", ...spawnAs(account) });
  } catch (cause) {
    const { stdout = "" } = cause as { stdout?: string };
    throw unusable(stateDirectory, account, stdout.trim() || `use ${folder}`, cause);
  }
}

function unusable(
  stateDirectory: string,
  account: Account | undefined,
  cannot: string,
  cause: unknown,
): StartError {
  const who = account
    ? `PostgreSQL, which cannot run as root and runs as user "${account.name}" instead,`
    : "the current user";
  const remedy = account
    ? "set SMARTCART_STATE to a folder that every user can enter, such as /var/lib/smartcart"
    : "set SMARTCART_STATE to a folder of your own";
  return new StartError(
    `SMARTCART_STATE=${stateDirectory} cannot be used: ${who} cannot ${cannot}; ${remedy}`,
    {
      variable: "SMARTCART_STATE",
      cause,
    },
  );
}

function ancestorsOf(folder: string): string[] {
  const parts = folder.split("/").filter(Boolean);
  return parts.map((_, index) => `/${join(...parts.slice(0, index + 1))}`);
}

async function readAccounts(): Promise<Map<string, Account>> {
  const lines = (await readFile("/etc/passwd", "utf8").catch(() => "")).split("\n");
  return new Map(
    lines.map((line) => {
      const [name = "", , uid, gid] = line.split(":");
      return [name, { name, uid: Number(uid), gid: Number(gid) }];
    }),
  );
}
