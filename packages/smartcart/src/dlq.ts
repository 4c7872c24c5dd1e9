/** `smartcart dlq`: looks at dead letters, puts them back into their queue, or drops them. */
import type { DeadLetter, DeadLetters, EventBus } from "@smartcart/bus";
import { decodeDeadLetter } from "@smartcart/bus";
import { queueTypes } from "@smartcart/contract";

export interface DlqCommand {
  readonly action: string;
  readonly queue: string | undefined;
  readonly ids: readonly string[];
  /** Maximum number of dead letters to list, show or redrive. */
  readonly limit: number | undefined;
  /** Maximum rate of a redrive, in dead letters per second. */
  readonly rate: number | undefined;
}

const DLQ_HELP = `smartcart dlq [list] [queue]               list dead letters with their reasons
smartcart dlq show <queue> <id>            show one dead letter, without personal data
smartcart dlq redrive <queue> <id…|all> [--limit N] [--rate N]   move back into the queue, with all attempts again
smartcart dlq drop <queue> <id…|all>       delete permanently
`;

/** Carries a command out and answers what to print. Throws an Error with the usage where it makes no sense. */
export async function runDlq(bus: EventBus, command: DlqCommand): Promise<string> {
  const { action, queue, ids, limit, rate } = command;
  if (action === "list")
    return list(bus, queue === undefined ? queuesWithDeadLetters() : [named(queue)], limit);
  if (queue === undefined || ids.length === 0)
    throw usage(`"dlq ${action}" needs a queue and an id`);
  const letters = bus.deadLetters(named(queue));
  const which = ids[0] === "all" ? "all" : ids;
  switch (action) {
    case "show":
      return show(letters, ids);
    case "redrive": {
      const moved = await letters.redrive(which, {
        ...(limit !== undefined && { limit }),
        ...(rate !== undefined && { maxPerSecond: rate }),
      });
      return `${moved} moved back to ${queue}\n`;
    }
    case "drop":
      return `${await letters.drop(which)} deleted from ${queue}.dlq\n`;
    default:
      throw usage(`unknown command "dlq ${action}"`);
  }
}

function queuesWithDeadLetters(): string[] {
  return [...queueTypes.values()].filter(({ deadLetter }) => deadLetter).map(({ name }) => name);
}

function named(queue: string): string {
  const name = queue.replace(/\.dlq$/, "");
  if (queuesWithDeadLetters().includes(name)) return name;
  throw usage(
    `no queue with dead letters has the name "${queue}"; use one of: ${queuesWithDeadLetters().join(", ")}`,
  );
}

async function list(bus: EventBus, queues: readonly string[], limit = 100): Promise<string> {
  const lines: string[] = [];
  for (const queue of queues) {
    const letters = bus.deadLetters(queue);
    lines.push(`${queue}.dlq: ${await letters.count()}`);
    for (const letter of await letters.list({ limit })) {
      const { id, type, attempt, failedAt } = letter;
      const { reason } = decodeDeadLetter(letter);
      const at = failedAt?.toISOString() ?? "unknown time";
      const line = `${id}  ${type || "no type"}  ${at}  attempt ${attempt}  ${reason}`;
      lines.push(`  ${onOneLine(line)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** What strangers wrote: it must not break the list, nor command the terminal. */
function onOneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^[\x7f-\x9f]$/, "\ufffd"),
  );
}

async function show(letters: DeadLetters, ids: readonly string[]): Promise<string> {
  const found = (await letters.list({ limit: 10_000 })).filter(({ id }) => ids.includes(id));
  if (found.length === 0) throw new Error(`no dead letter has the id ${ids.join(" or ")}`);
  return found.map((letter) => `${JSON.stringify(decoded(letter), undefined, 2)}\n`).join("");
}

function decoded(letter: DeadLetter): object {
  const { body, ...rest } = letter;
  const { json, headers, reason } = decodeDeadLetter(letter);
  // One that cannot be decoded may hold an address anywhere: the queue alone shows its bytes.
  return {
    ...rest,
    reason,
    headers,
    bodySize: body.byteLength,
    ...(json !== undefined && { message: json }),
  };
}

function usage(problem: string): Error {
  return new Error(`${problem}\n\n${DLQ_HELP}`);
}
