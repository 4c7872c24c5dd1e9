import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EventBus } from "@smartcart/bus";
import { queueTypes } from "@smartcart/contract";
import type { QueueStateSchema } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Attention } from "./attention.ts";
import { asleepMs } from "./attention.ts";

type QueueInit = MessageInitShape<typeof QueueStateSchema>;

/** The depths of the queues, read while a console is open. */
export interface QueueWatch extends AsyncDisposable {
  /** In the order of their names; empty while the queue cannot be asked. */
  states(): readonly QueueInit[];
}

/** Pause between two looks. */
const intervalMs = 1_000;
/** Older numbers than this are none. */
const staleMs = 15_000;

/** Reads the depths once per second while a console is open. Depths older than 15 seconds are not shown. */
export function startQueueWatch(o: {
  readonly bus: EventBus;
  readonly log: Logger;
  readonly attention: Attention;
}): QueueWatch {
  let states: readonly QueueInit[] = [];
  let askedAtMs = Number.NEGATIVE_INFINITY;
  const timer = startTimer({
    name: "ops.queues",
    intervalMs,
    longestMs: asleepMs,
    log: o.log,
    async run() {
      if (!o.attention.isAwake()) return Number.POSITIVE_INFINITY;
      try {
        const [depths, oldestMs] = await Promise.all([o.bus.depths(), o.bus.oldestMs()]);
        states = statesOf(depths, oldestMs ?? {});
        askedAtMs = performance.now();
      } catch (error) {
        // The readiness of the services shows that the queue is unavailable.
        o.log.debug("ops.depths_failed", { error });
      }
      return 0;
    },
  });
  o.attention.onAwake(timer.poke);
  return {
    states: () => (performance.now() - askedAtMs > staleMs ? [] : states),
    [Symbol.asyncDispose]: () => timer[Symbol.asyncDispose](),
  };
}

/** The depths by work queue: the ladder of retries is a queue a rung on one engine, and one queue on the other. */
function statesOf(
  depths: Readonly<Record<string, number>>,
  oldestMs: Readonly<Record<string, number>>,
): QueueInit[] {
  const sum = (isMeant: (name: string) => boolean) =>
    BigInt(
      Object.entries(depths)
        .filter(([name]) => isMeant(name))
        .reduce((total, [, depth]) => total + depth, 0),
    );
  return [...queueTypes.keys()].sort().map((queue) => ({
    queue,
    waiting: sum((name) => name === queue),
    retrying: sum((name) => name === `${queue}.retry` || name.startsWith(`${queue}.retry.`)),
    deadLetters: sum((name) => name === `${queue}.dlq`),
    ...(queue in oldestMs && { oldestMs: BigInt(Math.round(oldestMs[queue] ?? 0)) }),
  }));
}
