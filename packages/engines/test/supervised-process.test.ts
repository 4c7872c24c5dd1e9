import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { processExists } from "@smartcart/runtime";
import { isRunning, spawnService, waitFor } from "@smartcart/testkit";
import { startSupervisedProcess } from "../src/index.ts";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "smartcart-process-"));
});
afterEach(() => rm(cwd, { recursive: true }));

/** Runs a line of shell; it may write process ids to `pids`, one per line. */
function start(line: string, graceMs = 10_000) {
  return startSupervisedProcess({
    command: ["/bin/sh", "-c", line],
    env: { PATH: "/usr/bin:/bin" },
    cwd,
    osUser: undefined,
    logFile: join(cwd, "log"),
    stopSignals: ["SIGINT", "SIGTERM", "SIGKILL"],
    graceMs,
  });
}

const readPids = (count: number) =>
  waitFor(async () => {
    const lines = (await readFile(join(cwd, "pids"), "utf8")).trim().split("\n");
    return lines.length === count && lines.map(Number);
  });

const readLog = () => readFile(join(cwd, "log"), "utf8");

describe("startSupervisedProcess", () => {
  test("stops by the first signal that the program obeys", async () => {
    const process = start(
      "trap 'echo stopped; exit' TERM; echo $$ > pids; while :; do sleep 0.05; done",
      200,
    );
    await readPids(1);
    await process.stop();
    expect(await readLog()).toContain("stopped");
  });

  test("ends a program that obeys no signal", async () => {
    const process = start("trap '' INT TERM; echo $$ > pids; while :; do sleep 0.05; done", 100);
    const [pid = 0] = await readPids(1);
    await process.stop();
    await waitFor(async () => !(await isRunning(pid)));
  });

  test("ends what the program left behind", async () => {
    const process = start("sleep 600 & echo $! > pids; exit 3");
    const [pid = 0] = await readPids(1);
    await process.ended;
    expect(process.hasEnded()).toBe(true);
    await waitFor(async () => !(await isRunning(pid)));
    await process.stop();
  });

  test("says so when the program cannot be started", async () => {
    const process = startSupervisedProcess({
      command: [join(cwd, "missing")],
      env: {},
      cwd,
      osUser: undefined,
      logFile: join(cwd, "log"),
      stopSignals: ["SIGKILL"],
    });
    await process.ended;
    expect(await readLog()).toMatch(/missing.*not found/);
  });
});

describe("a supervised process whose owner was killed", () => {
  test("ends, also where the shell above it was killed before", async () => {
    const module = JSON.stringify(new URL("../src/index.ts", import.meta.url).href);
    const script = `
      import { startSupervisedProcess } from ${module};
      startSupervisedProcess({
        command: ["/bin/sh", "-c", "echo $$ > pids; echo $PPID >> pids; exec sleep 600"],
        env: { PATH: "/usr/bin:/bin" },
        cwd: ${JSON.stringify(cwd)},
        osUser: undefined,
        logFile: ${JSON.stringify(join("/dev", "null"))},
        stopSignals: ["SIGINT", "SIGTERM"],
        graceMs: 100,
      });`;
    await using owner = spawnService({ args: ["--input-type=module", "-e", script], env: {} });
    const [pid = 0, shell = 0] = await readPids(2);
    process.kill(shell, "SIGKILL");
    expect(processExists(pid)).toBe(true);
    owner.kill("SIGKILL");
    await waitFor(async () => !(await isRunning(pid)));
  });
});
