import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const folder = new URL("../", import.meta.url);

test("the example in the README prints what it says", async () => {
  const readme = await readFile(new URL("README.md", folder), "utf8");
  const code = String(/```ts\n(.*?)```/s.exec(readme)?.[1]);
  const said = [...code.matchAll(/^console\.log.*\/\/ (.*)$/gm)].map(([, words]) => words);
  const args = ["--input-type=module-typescript", "--eval", code];
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(folder) });
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  expect({ lines: stdout.trim().split("\n"), stderr }).toEqual({ lines: said, stderr: "" });
});
