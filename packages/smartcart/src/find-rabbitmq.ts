/** `--rabbitmq`: a RabbitMQ that is there, else an installed one as a private node, else one in Docker. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { isListening, startPrivateBroker } from "@smartcart/engines";
import type { Logger } from "@smartcart/runtime";
import { delay, StartError } from "@smartcart/runtime";

export interface FoundBroker extends AsyncDisposable {
  readonly amqpUrl: string;
  /** For people: which one it is. */
  readonly description: string;
}

export interface FindOptions {
  readonly amqpUrl: string | undefined;
  readonly stateDirectory: string;
  readonly log: Logger;
}

const LOCAL_URL = "amqp://guest:guest@localhost:5672";
const CONTAINER = "smartcart-rabbitmq";
const run = promisify(execFile);

export async function findRabbitMq(options: FindOptions): Promise<FoundBroker> {
  const { amqpUrl, stateDirectory, log } = options;
  if (amqpUrl !== undefined) return found(amqpUrl, "RabbitMQ at AMQP_URL");
  if (await isListening(5672)) return found(LOCAL_URL, "RabbitMQ on port 5672");
  const failures: string[] = [];
  try {
    const broker = await startPrivateBroker({ directory: join(stateDirectory, "rabbitmq"), log });
    const description = "a private node of the installed rabbitmq-server";
    return found(broker.amqpUrl, description, async () => broker[Symbol.asyncDispose]());
  } catch (error) {
    failures.push((error as Error).message);
  }
  try {
    return await startInDocker();
  } catch (error) {
    failures.push((error as Error).message.trim());
  }
  throw new StartError(
    `no RabbitMQ found: port 5672 is closed, and neither rabbitmq-server nor Docker could start one (${failures.join("; ")}). Install rabbitmq-server, or set AMQP_URL, or leave out --rabbitmq`,
    { variable: "AMQP_URL" },
  );
}

function found(
  amqpUrl: string,
  description: string,
  dispose: () => Promise<void> = async () => {},
): FoundBroker {
  return { amqpUrl, description, [Symbol.asyncDispose]: dispose };
}

async function startInDocker(): Promise<FoundBroker> {
  const ports = ["-p", "127.0.0.1:5672:5672", "-p", "127.0.0.1:15672:15672"];
  const args = ["run", "--rm", "-d", "--name", CONTAINER, ...ports, "rabbitmq:4-management"];
  await run("docker", args);
  const stop = async () => {
    await run("docker", ["stop", CONTAINER]);
  };
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const ready = await run("docker", [
      "exec",
      CONTAINER,
      "rabbitmq-diagnostics",
      "-q",
      "ping",
    ]).then(
      () => true,
      () => false,
    );
    if (ready) return found(LOCAL_URL, "a container, with its dashboard on port 15672", stop);
    await delay(1_000);
  }
  await stop();
  throw new Error("the RabbitMQ container did not become ready within one minute");
}
