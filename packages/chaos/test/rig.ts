/** Engines of our own for the tests of one file. */
import { findRabbitmq } from "@smartcart/engines";
import { canTestRabbitmq, makeTemporaryDirectory } from "@smartcart/testkit";
import type { Infrastructure } from "../src/system/infrastructure.ts";
import { startInfrastructure } from "../src/system/infrastructure.ts";

/** Whether RabbitMQ is installed: the tests kill their broker, so that one at AMQP_URL cannot be used. */
export async function canRunChaos(): Promise<boolean> {
  return (await canTestRabbitmq()) && (await findRabbitmq()) !== undefined;
}

export interface Rig extends AsyncDisposable {
  readonly infrastructure: Infrastructure;
  /** For logs and histories; goes away with the rig. */
  readonly directory: string;
}

export async function openRig(): Promise<Rig> {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await makeTemporaryDirectory());
  const infrastructure = opened.use(await startInfrastructure(directory.path));
  // Its data is not needed any more: an orderly stop would only take time.
  opened.defer(() => infrastructure.broker.kill());
  const all = opened.move();
  return {
    infrastructure,
    directory: directory.path,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A line in the output of the tests. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
