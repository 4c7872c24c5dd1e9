/** What can be said on the command line, and which command it runs. */
import { parseArgs } from "node:util";
import { attach } from "./attach.ts";
import { runDlq } from "./dlq.ts";
import { settingsTable } from "./settings.ts";
import { runUp } from "./up.ts";
import { runWeb } from "./web.ts";

const HELP = `smartcart: an order backend in which one set of .proto files is the whole contract

  npm start                     everything in one process, with an embedded database and queue
  npm start -- --rabbitmq       the same on RabbitMQ: a reachable one, an installed one, or Docker's
  npm start -- --fresh          begin with an empty state folder
  npx node packages/smartcart/src/main.ts web        only the page and its proxy
  npx node packages/smartcart/src/main.ts settings   the environment variables, as a table
  npx node packages/smartcart/src/main.ts dlq        messages that were given up: list, show, redrive, drop

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
    case "dlq":
      return runDlqCommand(rest, flags, env);
    default:
      return fail(`There is no command "${command}".`);
  }
}

async function runDlqCommand(
  rest: readonly string[],
  { limit, rate }: Flags,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const [action = "list", queue, ...ids] = rest;
  try {
    await using running = await attach(env);
    const command = { action, queue, ids, limit: numberOf(limit), rate: numberOf(rate) };
    print(await runDlq(running.bus, command));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
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
  readonly limit?: string;
  readonly rate?: string;
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
        limit: { type: "string" },
        rate: { type: "string" },
      },
    });
    const [command = "up", ...rest] = positionals;
    return { command, rest, flags: values };
  } catch (error) {
    return (error as Error).message;
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

function fail(problem: string): void {
  process.stderr.write(`${problem}\n\n${HELP}`);
  process.exitCode = 2;
}
