import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { isRunning, processTree } from "./process-tree.ts";
import { waitFor } from "./wait-for.ts";

it("finds a process with its children, until they end", async () => {
  const shell = spawn("sh", ["-c", "sleep 1000 & wait"], { detached: true, stdio: "ignore" });
  const ended = once(shell, "close");
  const pid = shell.pid ?? 0;
  try {
    const tree = await waitFor(async () => {
      const found = await processTree(pid);
      return found.some(({ name }) => name === "sleep") && found;
    });
    expect(tree.map(({ name }) => name)).toEqual(["sh", "sleep"]);
    for (const { residentBytes } of tree) expect(residentBytes).toBeGreaterThan(0);
  } finally {
    process.kill(-pid, "SIGKILL");
  }
  await ended;
  expect(await isRunning(pid)).toBe(false);
  expect(await processTree(pid)).toEqual([]);
});
