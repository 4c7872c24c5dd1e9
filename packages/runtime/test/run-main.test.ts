import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";

const main = fileURLToPath(new URL("./fixtures/main.ts", import.meta.url));

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH, ...env },
  });
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    output.err += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code, ...output }));
  return {
    child,
    ended,
    logged: (event: string) =>
      vi.waitFor(() => expect(output.out).toContain(`"event":"${event}"`), { timeout: 20_000 }),
  };
}

describe("runMain", () => {
  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "%s disposes of the service and exits with 0",
    async (signal) => {
      const run = start(["runs"]);
      await run.logged("started");
      run.child.kill(signal);
      const { code, out, err } = await run.ended;
      expect(code).toBe(0);
      expect(out).toContain('"event":"stopped"');
      expect(err).toBe("");
    },
  );

  test("a signal also ends a start that still waits", async () => {
    const run = start(["waits"]);
    await run.logged("waiting");
    run.child.kill("SIGTERM");
    expect(await run.ended).toMatchObject({ code: 0, err: "" });
  });

  test("a start that does not heed the signal is given up", async () => {
    const run = start(["deaf", "50"]);
    await run.logged("waiting");
    run.child.kill("SIGTERM");
    expect(await run.ended).toMatchObject({ code: 1, err: "" });
  });

  test("a second signal ends the process at once", async () => {
    const run = start(["never-stops"]);
    await run.logged("started");
    run.child.kill("SIGTERM");
    await run.logged("process.stopping");
    run.child.kill("SIGINT");
    expect(await run.ended).toMatchObject({ code: 130 });
  });

  test("a stop that takes too long ends the process with 1", async () => {
    const run = start(["never-stops", "50"]);
    await run.logged("started");
    run.child.kill("SIGTERM");
    const { code, out } = await run.ended;
    expect(code).toBe(1);
    expect(out).toContain("still not stopped after 50 ms");
  });

  test("a stop that fails ends the process with 1", async () => {
    const run = start(["fails-to-stop"]);
    await run.logged("started");
    run.child.kill("SIGTERM");
    const { code, out } = await run.ended;
    expect(code).toBe(1);
    expect(out).toContain("stuck");
  });

  test("bad configuration is a line for each variable", async () => {
    const { code, out, err } = await start(["runs"], { LOG_LEVEL: "loud", DATABASE_URL: "x" })
      .ended;
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err.trim().split("\n").sort()).toEqual([
      expect.stringMatching(/^DATABASE_URL: /),
      expect.stringMatching(/^LOG_LEVEL: /),
    ]);
  });

  test("a foreseen failure to start is one line", async () => {
    const result = await start(["start-error"]).ended;
    expect(result).toEqual({ code: 1, out: "", err: "sample: ORDER_PORT=80 is taken\n" });
  });

  test("an unforeseen failure to start is one line too", async () => {
    const { code, err } = await start(["unforeseen"]).ended;
    expect(code).toBe(1);
    expect(err).toBe("sample: could not start: oops (LOG_LEVEL=debug shows more)\n");
  });

  test("an unhandled rejection is logged and ends the process", async () => {
    const { code, out } = await start(["rejects-later"]).ended;
    expect(code).toBe(1);
    expect(out).toMatch(/"event":"process.crashed".*"message":"lost"/);
  });

  test.each(["ECONNRESET", "EPIPE", "EMFILE", "HPE_INVALID_CONSTANT"])(
    "an unhandled error of one stream is logged and survived: %s",
    async (code) => {
      const run = start(["escapes-later", code]);
      await run.logged("process.error_escaped");
      run.child.kill("SIGTERM");
      const { code: exitCode, out } = await run.ended;
      expect(exitCode).toBe(0);
      expect(out).toMatch(new RegExp(`"process.error_escaped".*"code":"${code}"`));
      expect(out).toContain('"event":"stopped"');
    },
  );

  test("any other unhandled error ends the process", async () => {
    const { code, out } = await start(["escapes-later", "ERR_INVALID_URL"]).ended;
    expect(code).toBe(1);
    expect(out).toContain('"event":"process.crashed"');
    expect(out).not.toContain('"event":"stopped"');
  });

  test("a closed pipe does not end it", async () => {
    const run = start(["runs"]);
    await run.logged("started");
    run.child.stdout.destroy();
    run.child.stderr.destroy();
    // It writes that it stops, and that it has stopped.
    run.child.kill("SIGTERM");
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  test("a full disk does not end it", async () => {
    const full = openSync("/dev/full", "w");
    onTestFinished(() => closeSync(full));
    const child = spawn(process.execPath, [main, "runs"], { stdio: ["ignore", full, full, "ipc"] });
    const exited = once(child, "exit");
    await once(child, "message");
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  });

  describe("started by npm", () => {
    const npm = { npm_lifecycle_event: "start" };
    // npm runs a script by a shell, which waits for it. Here "npm" is a shell as well, and prints the process id.
    const underNpm = (env: NodeJS.ProcessEnv) => {
      const script = `${process.execPath} ${main} runs & wait`;
      const child = spawn("sh", ["-c", `sh -c '${script}' & wait`], {
        env: { PATH: process.env.PATH, ...env },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let out = "";
      child.stdout.setEncoding("utf8").on("data", (text) => {
        out += text;
      });
      const ended = once(child.stdout, "close").then(() => out);
      const started = vi.waitFor(() => expect(out).toContain('"started"'), { timeout: 20_000 });
      return { child, ended, started };
    };

    test.each(["SIGTERM", "SIGKILL"] as const)("it drains when npm gets %s", async (signal) => {
      const run = underNpm(npm);
      await run.started;
      run.child.kill(signal);
      const out = await run.ended;
      expect(out).toContain("npm, which started this process, has ended");
      expect(out).toContain('"event":"stopped"');
    });
  });
});
