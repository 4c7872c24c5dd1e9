/** Only its owner can read the state folder, however it was made. */
import { chmod, mkdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeTemporaryDirectory, runCommand } from "@smartcart/testkit";
import { makeStateDirectory } from "../src/index.ts";

const closed = process.getuid?.() === 0 ? 0o711 : 0o700;
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test("a new one is closed, also under umask 000", async () => {
  await using parent = await makeTemporaryDirectory();
  const path = join(parent.path, "a", "smartcart");
  const source = new URL("../src/state-directory.ts", import.meta.url).href;
  const script = `process.umask(0); const { makeStateDirectory } = await import(${JSON.stringify(source)});
    await makeStateDirectory(${JSON.stringify(path)});`;
  const result = await runCommand(process.execPath, ["--input-type=module", "-e", script]);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(await modeOf(path)).toBe(closed);
});

test("an open one is closed, with its files and folders; what a link points to is left alone", async () => {
  await using parent = await makeTemporaryDirectory();
  const path = join(parent.path, "smartcart");
  const elsewhere = join(parent.path, "elsewhere");
  await mkdir(join(path, "postgres"), { recursive: true });
  for (const file of [elsewhere, join(path, "running.json")]) await writeFile(file, "{}");
  await symlink(elsewhere, join(path, "shipping.log"));
  for (const name of ["", "postgres", "running.json"]) await chmod(join(path, name), 0o777);
  await chmod(elsewhere, 0o666);
  await makeStateDirectory(path);
  expect(await modeOf(path)).toBe(closed);
  expect(await modeOf(join(path, "postgres"))).toBe(0o700);
  expect(await modeOf(join(path, "running.json"))).toBe(0o600);
  expect(await modeOf(elsewhere)).toBe(0o666);
});

test("a folder that others use too stays open, and what is ours in it is closed", async () => {
  await using shared = await makeTemporaryDirectory();
  await chmod(shared.path, 0o1777);
  for (const name of ["shipping.log", "of-another"]) await writeFile(join(shared.path, name), "");
  for (const name of ["shipping.log", "of-another"]) await chmod(join(shared.path, name), 0o666);
  await makeStateDirectory(shared.path);
  expect(await modeOf(shared.path)).toBe(0o777);
  expect(await modeOf(join(shared.path, "shipping.log"))).toBe(0o600);
  expect(await modeOf(join(shared.path, "of-another"))).toBe(0o666);
});

test("files that come and go meanwhile, since other processes start and stop, are no error", async () => {
  await using shared = await makeTemporaryDirectory();
  const file = join(shared.path, "running.json");
  let isDone = false;
  const comesAndGoes = async () => {
    while (!isDone) {
      await writeFile(file, "{}");
      await rm(file, { force: true });
    }
  };
  const others = [comesAndGoes(), comesAndGoes()];
  try {
    for (let round = 0; round < 300; round += 1) await makeStateDirectory(shared.path);
  } finally {
    isDone = true;
    await Promise.all(others);
  }
});
