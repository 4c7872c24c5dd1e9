/** `smartcart dlq`. */
import type { Command } from "commander";
import { Argument, InvalidArgumentError } from "commander";
import type { DeadLetters } from "@smartcart/bus";
import type { AddCommand, Cli } from "../cli/command.ts";
import { CommandError, jsonOption } from "../cli/command.ts";
import { onRunning } from "../cli/on-running.ts";
import { wholeNumber } from "../cli/parsers.ts";
import {
  describeDeadLetter,
  describeQueue,
  listDeadLetters,
  queuesWithDeadLetters,
} from "../dead-letters/list-dead-letters.ts";

/** Dead letters that one command looks through for the ids it is given. */
const searched = 10_000;

export const addDlq: AddCommand = (program, cli) => {
  const dlq = program
    .command("dlq")
    .summary("list, show, redrive and drop dead letters")
    .description(
      `Handles dead letters: messages that failed all attempts or cannot be processed. Queues: ${queuesWithDeadLetters().join(", ")}.`,
    );
  addList(dlq, cli);
  addShow(dlq, cli);
  addRedrive(dlq, cli);
  addDrop(dlq, cli);
};

interface ListFlags {
  readonly limit: number;
  readonly json?: boolean;
}

function addList(dlq: Command, cli: Cli): void {
  dlq
    .command("list")
    .summary("list dead letters with their reasons, oldest first")
    .addArgument(queueArgument("[queue]", "the queue; default: all"))
    .option("--limit <number>", "maximum number per queue", wholeNumber(1, searched), 100)
    .addOption(jsonOption())
    .action((queue: string | undefined, { limit, json }: ListFlags) =>
      onRunning(cli, async ({ bus }) => {
        const queues = queue === undefined ? queuesWithDeadLetters() : [queue];
        const found = await Promise.all(queues.map((name) => listDeadLetters(bus, name, limit)));
        if (json) cli.printJson({ queues: found });
        else for (const one of found) cli.print(describeQueue(one));
      }),
    );
}

function addShow(dlq: Command, cli: Cli): void {
  dlq
    .command("show")
    .summary("show dead letters, decoded, without personal data")
    .addArgument(queueArgument("<queue>", "the queue"))
    .argument("<id...>", "their ids")
    .option("--json", "print each on one line, for programs")
    .action((queue: string, ids: string[], { json }: { json?: boolean }) =>
      onRunning(cli, async ({ bus }) => {
        const deadLetters = await bus.deadLetters(queue).list({ limit: searched });
        for (const deadLetter of deadLetters.filter(({ id }) => ids.includes(id))) {
          if (json) cli.printJson(describeDeadLetter(deadLetter));
          else cli.print(`${JSON.stringify(describeDeadLetter(deadLetter), undefined, 2)}\n`);
        }
        refuseUnknown(queue, unknownIn(deadLetters, ids));
      }),
    );
}

function addRedrive(dlq: Command, cli: Cli): void {
  dlq
    .command("redrive")
    .summary("move dead letters back into their queue, with all attempts again")
    .addArgument(queueArgument("<queue>", "the queue"))
    .argument("<id...>", 'their ids, or "all"')
    .option("--limit <number>", "maximum number", wholeNumber(1, 1_000_000))
    .option("--rate <number>", "maximum number per second", wholeNumber(1, 100_000))
    .addOption(jsonOption())
    .action((queue: string, ids: string[], o: { limit?: number; rate?: number; json?: boolean }) =>
      onSelected(
        cli,
        { queue, ids, json: o.json, done: `moved back to ${queue}` },
        (deadLetters, which) =>
          deadLetters.redrive(which, {
            ...(o.limit !== undefined && { limit: o.limit }),
            ...(o.rate !== undefined && { maxPerSecond: o.rate }),
          }),
      ),
    );
}

function addDrop(dlq: Command, cli: Cli): void {
  dlq
    .command("drop")
    .summary("delete dead letters permanently")
    .addArgument(queueArgument("<queue>", "the queue"))
    .argument("<id...>", 'their ids, or "all"')
    .option("--limit <number>", "maximum number", wholeNumber(1, 1_000_000))
    .addOption(jsonOption())
    .action((queue: string, ids: string[], o: { limit?: number; json?: boolean }) =>
      onSelected(
        cli,
        { queue, ids, json: o.json, done: `deleted from ${queue}.dlq` },
        (deadLetters, which) =>
          deadLetters.drop(which, { ...(o.limit !== undefined && { limit: o.limit }) }),
      ),
    );
}

interface Selected {
  readonly queue: string;
  readonly ids: readonly string[];
  readonly json: boolean | undefined;
  /** The past tense for the printed count: "redriven". */
  readonly done: string;
}

/** Acts on the dead letters that exist, prints how many, and fails where some do not. */
async function onSelected(
  cli: Cli,
  { queue, ids, json, done }: Selected,
  act: (deadLetters: DeadLetters, which: readonly string[] | "all") => Promise<number>,
): Promise<void> {
  await onRunning(cli, async ({ bus }) => {
    const deadLetters = bus.deadLetters(queue);
    const isAll = ids.length === 1 && ids[0] === "all";
    const unknown = isAll ? [] : unknownIn(await deadLetters.list({ limit: searched }), ids);
    const known = ids.filter((id) => !unknown.includes(id));
    const count = isAll
      ? await act(deadLetters, "all")
      : known.length > 0
        ? await act(deadLetters, known)
        : 0;
    if (json) cli.printJson({ queue, count, unknown });
    else cli.print(`${count} ${done}\n`);
    refuseUnknown(queue, unknown);
  });
}

function unknownIn(
  deadLetters: readonly { readonly id: string }[],
  ids: readonly string[],
): string[] {
  const known = new Set(deadLetters.map(({ id }) => id));
  return ids.filter((id) => !known.has(id));
}

function refuseUnknown(queue: string, unknown: readonly string[]): void {
  if (unknown.length === 0) return;
  const names = unknown.map((id) => JSON.stringify(id)).join(", ");
  throw new CommandError(
    `No dead letter of ${queue} has the id ${names}. "smartcart dlq list ${queue}" lists them.`,
  );
}

/** A queue with dead letters, by its own name or that of its dead-letter queue. */
function queueArgument(name: string, description: string): Argument {
  return new Argument(name, description).argParser((text: string) => {
    const queue = text.replace(/\.dlq$/, "");
    if (queuesWithDeadLetters().includes(queue)) return queue;
    throw new InvalidArgumentError(`It must be one of: ${queuesWithDeadLetters().join(", ")}.`);
  });
}
