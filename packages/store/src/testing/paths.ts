import { tmpdir } from "node:os";
import { join } from "node:path";

/** Folder of the PostgreSQL that this user's tests share; the next run uses it again. */
export function sharedDirectory(): string {
  return join(tmpdir(), `smartcart-test-${process.getuid?.() ?? "user"}`);
}

/** Where its keeper listens. */
export function socketPath(): string {
  return join(sharedDirectory(), "keeper.sock");
}
