/** A folder for one run, that goes away with it. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** Set for the worker of a tool (`runTool`), whose own temporary files go with it: where to put those that are kept. */
export const keptFilesVariable = "SMARTCART_TOOL_KEEPS_IN";

/** Makes one; `keep` leaves it where it is. */
export async function makeTemporaryDirectory(keep = false): Promise<TemporaryDirectory> {
  const parent = (keep ? process.env[keptFilesVariable] : undefined) ?? tmpdir();
  const path = await mkdtemp(join(parent, "smartcart-"));
  // Where root runs this, PostgreSQL and RabbitMQ run as other users, and have to get in.
  await chmod(path, 0o755);
  return {
    path,
    async [Symbol.asyncDispose]() {
      if (!keep) await rm(path, { recursive: true, force: true });
    },
  };
}
