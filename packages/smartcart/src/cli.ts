/** What can be said on the command line, and which command it runs. */
import { parseArgs } from "node:util";
import { writeOutput } from "@smartcart/runtime";
import type { Attached } from "./attach.ts";
import { attach } from "./attach.ts";
import { runCerts } from "./certs.ts";
import { runDlq } from "./dlq.ts";
import { runDoctor } from "./doctor.ts";
import { meshTable } from "./mesh-table.ts";
import { settingsTable } from "./settings.ts";
import { runUp } from "./up.ts";
import { runWeb } from "./web.ts";

const HELP = `smartcart: an order backend in which one set of .proto files is the whole contract

  npm start                     all services in one process, with an embedded database and queue
  npm start -- --rabbitmq       the same on RabbitMQ: running on port 5672, installed, or in Docker
  npm start -- --fresh          start with an empty state folder
  npx smartcart web             only the web page and its proxy
  npx smartcart settings        list the environment variables
  npx smartcart mesh            list the methods of the contract: who may call them, time-outs, retries, batches
  npx smartcart certs DIR       issue or renew certificates for TLS and between services
        --host NAME   a name or address of public ports, repeatable (this machine)    --days N   how long they are good (90)
  npx smartcart dlq             dead letters: list, show, redrive, drop
  npx smartcart doctor          check a running SmartCart
        --reconcile   repair automatically where possible    --wait N   seconds that a violation must last (20)

Settings are environment variables, described in docs/operations.md.
`;

export async function runCommand(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const parsed = parse(args);
  if (typeof parsed === "string") return fail(parsed);
  const { command, rest, flags } = parsed;
  if (flags.help) return print(HELP);
  switch (command) {
    case "up":
      return runUp({ rabbitmq: flags.rabbitmq, fresh: flags.fresh });
    case "web":
      return runWeb();
    case "settings":
      return print(settingsTable());
    case "mesh":
      return print(meshTable());
    case "certs":
      return certs(rest, flags);
    case "dlq":
      return onRunning(env, (running) => dlq(running, rest, flags));
    case "doctor":
      return onRunning(env, (running) => doctor(running, flags));
    default:
      return fail(`Unknown command "${command}".`);
  }
}

/** Runs a tool on the SmartCart that runs; what goes wrong is said in a line. */
async function onRunning(
  env: NodeJS.ProcessEnv,
  tool: (running: Attached) => Promise<void>,
): Promise<void> {
  try {
    await using running = await attach(env);
    await tool(running);
  } catch (error) {
    writeOutput("stderr", `${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

async function certs([folder]: readonly string[], { host, days }: Flags): Promise<void> {
  if (folder === undefined)
    return fail("Name the folder for the certificates: smartcart certs DIR");
  try {
    print(await runCerts({ folder, hosts: host, days: numberOf(days) }));
  } catch (error) {
    writeOutput("stderr", `${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

async function dlq({ bus }: Attached, rest: readonly string[], flags: Flags): Promise<void> {
  const [action = "list", queue, ...ids] = rest;
  const bounds = { limit: numberOf(flags.limit), rate: numberOf(flags.rate) };
  print(await runDlq(bus, { action, queue, ids, ...bounds }));
}

async function doctor(running: Attached, { reconcile, wait }: Flags): Promise<void> {
  const patienceMs = (numberOf(wait) ?? 20) * 1_000;
  const { text, healthy } = await runDoctor(running, { reconcile, patienceMs });
  print(text);
  if (!healthy) process.exitCode = 1;
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`"${text}" is not a whole number above 0`);
  return Number(text);
}

interface Parsed {
  readonly command: string;
  readonly rest: readonly string[];
  readonly flags: Flags;
}

interface Flags {
  readonly help: boolean;
  readonly rabbitmq: boolean;
  readonly fresh: boolean;
  readonly reconcile: boolean;
  readonly limit?: string;
  readonly wait?: string;
  readonly rate?: string;
  readonly host: readonly string[];
  readonly days?: string;
}

function parse(args: readonly string[]): Parsed | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        rabbitmq: { type: "boolean", default: false },
        fresh: { type: "boolean", default: false },
        reconcile: { type: "boolean", default: false },
        limit: { type: "string" },
        wait: { type: "string" },
        rate: { type: "string" },
        host: { type: "string", multiple: true, default: [] },
        days: { type: "string" },
      },
    });
    const [command = "up", ...rest] = positionals;
    return { command, rest, flags: values };
  } catch (error) {
    return (error as Error).message;
  }
}

/** A reader who has left (`| head -1`) wanted no more: the tool goes on, and its exit code is what it found. */
function print(text: string): void {
  const error = writeOutput("stdout", text);
  if (error === undefined || error.code === "EPIPE") return;
  writeOutput("stderr", `smartcart: the output could not be written: ${error.message}\n`);
  process.exitCode = 1;
}

function fail(problem: string): void {
  writeOutput("stderr", `${problem}\n\n${HELP}`);
  process.exitCode = 2;
}
