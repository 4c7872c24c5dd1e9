/** `npm run conformance`: the suite of connectrpc/conformance against this package's port. Needs Go, and takes half a minute. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const suite = "connectrpc.com/conformance";
const version = "v1.0.7";

const here = import.meta.dirname;
const directory = mkdtempSync(join(tmpdir(), "smartcart-conformance-"));
try {
  const module = execFileSync("go", ["mod", "download", "-json", `${suite}@${version}`]);
  const { Dir } = JSON.parse(module.toString()) as { Dir: string };
  const contract = join(directory, "suite.binpb");
  execFileSync("buf", ["build", join(Dir, "proto"), "-o", contract]);
  const command = join(directory, "connectconformance");
  const install = ["install", `${suite}/cmd/connectconformance@${version}`];
  execFileSync("go", install, { env: { ...process.env, GOBIN: directory }, stdio: "inherit" });
  const server = [process.execPath, join(here, "server.ts"), contract];
  const args = ["--conf", join(here, "config.yaml"), "--mode", "server", "--", ...server];
  process.exitCode = spawnSync(command, args, { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(directory, { recursive: true });
}
