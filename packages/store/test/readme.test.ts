import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const folder = new URL("../", import.meta.url);

test("the example in the README prints what it says", async () => {
  const readme = await readFile(new URL("README.md", folder), "utf8");
  const code = String(/```ts\n(.*?)```/s.exec(readme)?.[1]);
  const promised = /console\.log\(.*\); \/\/ (.*)/.exec(code)?.[1];
  const args = ["--input-type=module-typescript", "--eval", code];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(folder),
  });
  expect(stdout.trim()).toBe(promised);
});
