import { access, chmod, chown, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { OsUser } from "./os-user.ts";

/** Whether a path exists and can be reached; false also for a path below a folder that this user may not enter. */
export function isPresent(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Makes a folder that only its owner can access, and gives it to that user. New folders above it can be entered by all users, whatever
 * the umask: the server may run as another user than this process.
 */
export async function makeDirectory(path: string, owner: OsUser | undefined): Promise<void> {
  const parent = dirname(path);
  const first = await mkdir(parent, { recursive: true });
  if (first !== undefined) {
    for (let folder = parent; folder.startsWith(first); folder = dirname(folder)) {
      await chmod(folder, 0o755);
    }
  }
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await stat(path);
  if (owner && found.uid !== owner.uid) await chown(path, owner.uid, owner.gid);
  if ((found.mode & 0o077) !== 0) await chmod(path, 0o700);
}
