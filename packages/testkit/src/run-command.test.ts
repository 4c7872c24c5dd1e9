import { expect, it } from "vitest";
import { runCommand } from "./run-command.ts";

it("answers what a program wrote and how it ended", async () => {
  const script = "console.log(process.env.GREETING); console.error('oh'); process.exit(3)";
  const result = await runCommand(process.execPath, ["-e", script], { env: { GREETING: "hello" } });
  expect(result).toEqual({ code: 3, stdout: "hello\n", stderr: "oh\n" });
});

it("ends a program that does not end, with what it started", async () => {
  const running = runCommand("sh", ["-c", "echo begun; sleep 1000 & wait"], { timeoutMs: 200 });
  await expect(running).rejects.toThrow(/did not end within 200 ms.*\nbegun/);
});

it("fails where there is no such program", async () => {
  await expect(runCommand("no-such-program", [])).rejects.toThrow("ENOENT");
});
