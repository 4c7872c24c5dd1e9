import { chmod, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a test server lends. */
export type ServerKind = "databases" | "virtual-hosts";

/** Folder of the server that this user's tests share; the next run uses it again. */
export function sharedDirectory(kind: ServerKind): string {
  return join(tmpdir(), `smartcart-test-${kind}-${process.getuid?.() ?? "user"}`);
}

/** Where its test server listens. */
export function socketPath(kind: ServerKind): string {
  return join(sharedDirectory(kind), "test-server.sock");
}

/** The server may run as another user, which needs access to it. */
export async function makeSharedDirectory(kind: ServerKind): Promise<void> {
  await mkdir(sharedDirectory(kind), { recursive: true });
  await chmod(sharedDirectory(kind), 0o755);
}
