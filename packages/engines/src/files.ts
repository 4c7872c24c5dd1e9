import { randomBytes } from "node:crypto";
import { access } from "node:fs/promises";

/**
 * A name beside `path` for something that is moved to `path` when complete. It tells which process makes it, and differs
 * between two that are made at once.
 */
export function unfinishedName(path: string): string {
  return `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
}

export async function isPresent(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
