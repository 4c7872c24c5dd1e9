import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** The operating system's user that a server runs as. `spawn` takes it among its options. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user to run a server as. Root runs its servers as another user: the owner of the existing data, else the first of
 * `names` that exists. Undefined: the current user, which is not root or finds none of them.
 */
export async function chooseOsUser(
  dataDirectory: string,
  names: readonly string[],
): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(dataDirectory).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const passwd = (await readFile("/etc/passwd", "utf8").catch(() => "")).split("\n");
  for (const wanted of names) {
    const [name, , uid, gid] =
      passwd.find((line) => line.startsWith(`${wanted}:`))?.split(":") ?? [];
    if (name !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/**
 * What the user may not do with the folder: "enter /root". Undefined: nothing. It tries each action, since modes alone do not show
 * access lists and read-only mounts.
 */
export async function findAccessProblem(
  folder: string,
  user: OsUser | undefined,
): Promise<string | undefined> {
  const parts = folder.split("/").filter(Boolean);
  const ancestors = parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
  const script =
    'for d; do cd "$d" 2>/dev/null || { echo "enter $d"; exit 1; }; done; [ -w . ] || { echo "write to $d"; exit 1; }';
  try {
    await execute("/bin/sh", ["-c", script, "sh", ...ancestors], { cwd: "/", ...user });
    return undefined;
  } catch (error) {
    return (error as { stdout?: string }).stdout?.trim() || `use ${folder}`;
  }
}
