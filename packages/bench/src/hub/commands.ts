/** Commands from the benchmark to its own processes, over the channel that Node opens between a process and its child. */
import type { RunningProcess } from "../processes.ts";

/** The commands of a process by name; their results must survive JSON. */
type Commands = Readonly<Record<string, (argument: never) => Promise<unknown> | unknown>>;

interface Request {
  readonly id: number;
  readonly command: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Serves commands in this process until its parent ends. */
export function serveCommands(commands: Commands): void {
  process.on("disconnect", () => process.exit());
  process.on("message", async ({ id, command, argument }: Request) => {
    const answer = await run(commands, command, argument);
    process.send?.({ id, ...answer } satisfies Answer);
  });
}

async function run(commands: Commands, command: string, argument: unknown) {
  try {
    const handle = commands[command];
    if (handle === undefined) throw new Error(`there is no command ${command}`);
    return { value: await handle(argument as never) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

let lastId = 0;

/** Runs a command in a process and returns its result. Rejects where the process ends first. */
export async function tell<T>(
  { name, channel, ended }: RunningProcess,
  command: string,
  argument: unknown = {},
): Promise<T> {
  if (channel === undefined) throw new Error(`${name} takes no commands`);
  const id = ++lastId;
  const answered = Promise.withResolvers<Answer>();
  const onMessage = (answer: Answer) => {
    if (answer.id === id) answered.resolve(answer);
  };
  channel.on("message", onMessage);
  channel.send({ id, command, argument } satisfies Request);
  const answer = await Promise.race([answered.promise, ended]);
  channel.off("message", onMessage);
  if (answer === undefined) throw new Error(`${name} ended during "${command}"`);
  if (answer.error !== undefined) throw new Error(`${name}: ${answer.error}`);
  return answer.value as T;
}
