/** Clients of another make, written in Python: grpcio, pika and websockets, as Debian packages them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runCommand, waitFor } from "@smartcart/testkit";

// Not the first python3 on the path: Debian's packages belong to Debian's Python.
const python = process.env.PYTHON ?? "/usr/bin/python3";
const clients = fileURLToPath(new URL("./clients/", import.meta.url));
const root = fileURLToPath(new URL("../../../", import.meta.url));
export const buf = join(root, "node_modules/.bin/buf");

const packages: Readonly<Record<string, string>> = {
  grpc: "python3-grpcio",
  google: "python3-protobuf",
  pika: "python3-pika",
  websockets: "python3-websockets",
};

/** Runs a client to its end and answers what it printed. */
export async function runPython(client: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(python, [join(clients, client), ...args]);
  if (code !== 0) throw new Error(explain(client, stderr));
  return stdout;
}

export interface RunningClient extends AsyncDisposable {
  /** The lines it has printed so far. */
  readonly lines: readonly string[];
}

/** Starts a client that goes on until it is disposed of; resolves once it has printed its first line. */
export async function startPython(client: string, ...args: string[]): Promise<RunningClient> {
  const child = spawn(python, [join(clients, client), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close");
  await waitFor(() => lines.length > 0 || child.exitCode !== null, { what: `${client} to begin` });
  if (lines.length === 0) throw new Error(explain(client, stderr));
  return {
    lines,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function explain(client: string, stderr: string): string {
  const module = /No module named '(\w+)/.exec(stderr)?.[1];
  const missing = module && packages[module];
  if (missing === undefined) return `${client} failed:\n${stderr}`;
  return `${client} needs the Python module ${module}; install it: apt-get install ${missing}`;
}

/** The contract as descriptors in a file, which is what a client in any language can start from. */
export async function buildContract(): Promise<AsyncDisposable & { readonly file: string }> {
  const directory = await mkdtemp(join(tmpdir(), "smartcart-contract-"));
  const file = join(directory, "contract.binpb");
  const { code, stderr } = await runCommand(buf, ["build", "-o", file], { cwd: root });
  if (code !== 0) throw new Error(`buf build failed:\n${stderr}`);
  return {
    file,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
