/** Engines of our own for the tests of one file. */
import { findRabbitmq } from "@smartcart/engines";
import { canTestRabbitmq, makeTemporaryDirectory } from "@smartcart/testkit";
import type { Infrastructure } from "../src/system/infrastructure.ts";
import { startInfrastructure } from "../src/system/infrastructure.ts";

/** Whether they can be had: a broker that somebody else runs (AMQP_URL) is none that may be killed. */
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
  // Nothing of it is needed any more, so that there is no point in a long goodbye.
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
