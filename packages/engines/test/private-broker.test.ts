import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { canTestRabbitmq, waitFor } from "@smartcart/testkit";
import { findRabbitmq } from "../src/index.ts";

await canTestRabbitmq();

describe.skipIf(!(await findRabbitmq()))("startPrivateBroker", () => {
  it("leaves nothing behind when its owner is killed", { timeout: 120_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), "smartcart-broker-"));
    const script = fileURLToPath(new URL("./fixtures/broker-owner.ts", import.meta.url));
    const owner = spawn(process.execPath, [script, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [url] = await once(owner.stdout, "data");
    expect(String(url)).toMatch(/^amqp:\/\/guest:guest@127\.0\.0\.1:\d+\n$/);
    // The owner, the supervising shells, the shell around the node, the node, its port mapper.
    expect((await processesOf(directory)).length).toBeGreaterThanOrEqual(4);

    owner.kill("SIGKILL");

    await waitFor(async () => (await processesOf(directory)).length === 0, { timeoutMs: 30_000 });
    await rm(directory, { recursive: true });
  });
});

/** Processes that have the folder in their arguments or environment. */
async function processesOf(directory: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const files = ["cmdline", "environ"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8"));
      const texts = await Promise.all(files).catch(() => []);
      return texts.some((text) => text.includes(directory)) ? pid : undefined;
    }),
  );
  return found.filter((pid) => pid !== undefined);
}
