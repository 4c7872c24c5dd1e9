import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockDirectory } from "../src/index.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "smartcart-lock-"));
});
afterEach(() => rm(directory, { recursive: true }));

const stale = (text: string) => writeFile(join(directory, "owner.json"), text);

describe("lockDirectory", () => {
  test("rejects a second lock until the first is released", async () => {
    {
      await using _lock = await lockDirectory(directory);
      await expect(lockDirectory(directory)).rejects.toMatchObject({
        code: "DIRECTORY_IN_USE",
        pid: process.pid,
      });
    }
    await using _again = await lockDirectory(directory);
  });

  test("of many at once, one wins", async () => {
    await stale("{}");
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => lockDirectory(directory)),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await readdir(directory)).toEqual(["owner.json"]);
  });

  test.each([
    ["a process that is gone", JSON.stringify({ pid: 2 ** 30, serverPid: 7 }), 7],
    [
      "an id that belongs to another process now",
      JSON.stringify({ pid: process.pid, identity: "old", serverPid: 8 }),
      8,
    ],
    ["a crash of the machine that left the file empty", "", undefined],
  ])("takes over from %s, and knows its server", async (_, text, orphanPid) => {
    await stale(text);
    const lock = await lockDirectory(directory);
    expect(lock.orphanPid).toBe(orphanPid);
    await lock.setServer(9);
    await lock[Symbol.asyncDispose]();
    expect(await readdir(directory)).toEqual([]);
  });
});
