/** The command line, where its output goes nowhere and where the wrong Node runs it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { runCommand } from "@smartcart/testkit";

const bin = fileURLToPath(new URL("../bin/smartcart.js", import.meta.url));

describe("a tool", () => {
  it("ends well where its reader has left", async () => {
    const shell = `"$0" "$1" settings | sh -c 'exec <&-; sleep 2'; echo "\${PIPESTATUS[0]}"`;
    const result = await runCommand("bash", ["-c", shell, process.execPath, bin]);
    expect(result).toEqual({ code: 0, stdout: "0\n", stderr: "" });
  });

  it("says that a disk is full, and does not call that a success", async () => {
    const full = openSync("/dev/full", "w");
    onTestFinished(() => closeSync(full));
    const child = spawn(process.execPath, [bin, "settings"], { stdio: ["ignore", full, "pipe"] });
    let errors = "";
    child.stderr?.on("data", (chunk) => {
      errors += chunk;
    });
    expect(await once(child, "close")).toEqual([1, null]);
    expect(errors).toMatch(/^The output could not be written: ENOSPC.*\n$/);
  });

  it("keeps its exit code where its output cannot be read", async () => {
    const shell = `"$0" "$1" nonsense 2>/dev/full; echo $?; "$0" "$1" nonsense 2>&-; echo $?`;
    const { stdout } = await runCommand("sh", ["-c", shell, process.execPath, bin]);
    expect(stdout).toBe("2\n2\n");
  });
});

it("an older Node is told so in a line, not in a trace", async () => {
  const older = `Object.defineProperty(process, "versions", { value: { node: "20.19.0" } })`;
  const args = ["--import", `data:text/javascript,${encodeURIComponent(older)}`, bin, "up"];
  const { code, stdout, stderr } = await runCommand(process.execPath, args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^smartcart: this is Node 20\.19\.0, .* run "npm rebuild node".*\n$/);
});
