import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const folder = new URL("../", import.meta.url);

async function runExample(env: NodeJS.ProcessEnv) {
  const readme = await readFile(new URL("README.md", folder), "utf8");
  const code = String(/```ts\n(.*?)```/s.exec(readme)?.[1]);
  const args = ["--input-type=module-typescript", "--eval", code];
  const options = { cwd: fileURLToPath(folder), env: { PATH: process.env.PATH, ...env } };
  return { readme, child: spawn(process.execPath, args, options) };
}

describe("the example in the README", () => {
  test("says what the README says about a bad variable", async () => {
    const { readme, child } = await runExample({ ORDER_PORT: "http" });
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
    expect(code).toBe(1);
    expect(readme).toContain(stderr.trim());
    expect(stderr).toMatch(/^ORDER_PORT: /);
  });

  test("starts, and stops at a signal", async () => {
    const { child } = await runExample({});
    child.stdout.once("data", () => child.kill("SIGTERM"));
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
    expect(code).toBe(0);
    expect(stdout).toContain('"event":"order.started","port":8080');
    expect(stdout).toContain('"event":"order.stopping"');
  });
});
