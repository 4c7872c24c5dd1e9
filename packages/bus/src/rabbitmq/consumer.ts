import { setImmediate } from "node:timers/promises";
import type { Channel } from "rabbitmq-client";
import type { QueueType } from "@smartcart/contract";
import { deadLetterExchange, retryQueue } from "@smartcart/contract";
import { delay } from "@smartcart/runtime";
import type { Step } from "../message-processor.ts";
import { handleBatch } from "../message-processor.ts";
import type { ConsumeOptions, RunningConsumer } from "../types.ts";
import { failedDeliveries, toRaw } from "./amqp-message.ts";
import { attach } from "./channel-supervisor.ts";
import { declareTopology } from "./declare-topology.ts";
import { heldCopy } from "./message-copy.ts";
import type { Publisher } from "./publisher.ts";
import type { RawConnection, RawPublish, ReceivedMessage } from "./raw-connection.ts";
import { longestPayload, onMessage } from "./raw-connection.ts";

/** What a consumer works with. */
export interface ConsumerParts {
  readonly connection: RawConnection;
  readonly publisher: Publisher;
}

/** Longest wait for the confirms of retry copies and dead letters. */
const copyTimeoutMs = 5_000;

/** Joins the consumers of a queue; see `EventBus.consume`. */
export async function startConsumer(
  queue: QueueType,
  o: ConsumeOptions,
  parts: ConsumerParts,
): Promise<RunningConsumer> {
  let stopping = false;
  let session: Session | undefined;
  return await attach({
    connection: parts.connection,
    name: o.name,
    log: o.log,
    async setUp(channel) {
      // It was lost: to a broken connection, or because somebody deleted the queue, which is then made anew.
      if (session !== undefined) await declareTopology(channel);
      // An older session may still wait for its handler; the broker has given its messages back
      // already.
      session = createSession(channel, queue, o, parts, () => stopping);
      await session.begin();
    },
    async windDown(channel) {
      stopping = true;
      if (channel !== undefined) await session?.cancel();
      await session?.idle();
    },
  });
}

interface Session {
  begin(): Promise<void>;
  /** Takes no more messages. */
  cancel(): Promise<void>;
  /** Resolves when the batch under way is answered. */
  idle(): Promise<void>;
}

/** One channel's worth of consuming: delivery tags mean nothing on another one. */
function createSession(
  channel: Channel,
  queue: QueueType,
  o: ConsumeOptions,
  parts: ConsumerParts,
  isStopping: () => boolean,
): Session {
  const maxBatch = o.maxBatch ?? 1;
  const waiting: ReceivedMessage[] = [];
  let consumerTag = "";
  let working: Promise<void> | undefined;
  // Whoever dies takes one life of all messages it holds. A message that has cost lives is
  // therefore taken alone, and so is the first one of each session: else a poison would draw its
  // neighbours into the dead letters.
  let careful = true;

  async function start(prefetchCount: number): Promise<void> {
    await channel.basicQos({ prefetchCount });
    const receive = onMessage((message) => {
      waiting.push(message);
      working ??= work()
        .catch(giveUp)
        .finally(() => {
          working = undefined;
        });
    });
    ({ consumerTag } = await channel.basicConsume({ queue: queue.name }, receive));
  }

  /** The channel failed under us; on a new one the broker sends all that is unanswered again. */
  function giveUp(error: unknown): void {
    o.log.warn("bus.consume_failed", { consumer: o.name, queue: queue.name, error });
    void channel.close();
  }

  async function work(): Promise<void> {
    // What the same read of the socket brought makes one batch, instead of one message and then the others.
    await setImmediate();
    while (waiting.length > 0 && !isStopping() && channel.active) {
      const batch = waiting.splice(0, maxBatch);
      const steps = await handleBatch(queue, batch.map(toRaw), o, isStopping);
      await settle(channel, queue, batch, steps, parts);
      if (careful && batch.every((message) => failedDeliveries(message) < 2)) await speedUp();
    }
  }

  async function speedUp(): Promise<void> {
    if (!channel.active || isStopping()) return;
    careful = false;
    await channel.basicCancel({ consumerTag });
    await start(Math.max(10, maxBatch * 3));
  }

  return {
    begin: () => start(1),
    async cancel() {
      await channel.basicCancel({ consumerTag }).catch(() => {});
    },
    async idle() {
      await working;
    },
  };
}

/** Stores the copies of what failed, then removes the batch from the queue. */
async function settle(
  channel: Channel,
  queue: QueueType,
  batch: readonly ReceivedMessage[],
  steps: readonly Step[],
  parts: ConsumerParts,
): Promise<void> {
  const copies: RawPublish[] = [];
  const longest = longestPayload(parts.connection);
  const sources: number[] = [];
  for (const [index, message] of batch.entries()) {
    const step = steps[index];
    if (step === undefined || step.kind === "remove") continue;
    copies.push(copyFor(queue, message, step, longest));
    sources.push(index);
  }
  const refused = new Set<number>();
  if (copies.length > 0) {
    const results = await parts.publisher.publish(copies, { timeoutMs: copyTimeoutMs });
    for (const [at, result] of results.entries()) {
      if (result !== "confirmed") refused.add(sources[at] ?? -1);
    }
  }
  // Without its copy a message stays in the queue; the pause keeps it from coming round in a tight
  // loop.
  if (refused.size > 0) await delay(1_000);
  if (channel.active) answer(channel, batch, refused);
}

function answer(
  channel: Channel,
  batch: readonly ReceivedMessage[],
  refused: ReadonlySet<number>,
): void {
  const last = batch.at(-1);
  if (last === undefined) return;
  if (refused.size === 0) {
    // All earlier batches of this channel are answered, so that this covers just the present one.
    channel.basicAck({ deliveryTag: last.deliveryTag, multiple: true });
    return;
  }
  for (const [index, { deliveryTag }] of batch.entries()) {
    if (refused.has(index)) channel.basicNack({ deliveryTag, requeue: true });
    else channel.basicAck({ deliveryTag });
  }
}

function copyFor(
  queue: QueueType,
  message: ReceivedMessage,
  step: Exclude<Step, { kind: "remove" }>,
  longest: number,
): RawPublish {
  const { reason } = step;
  if (step.kind === "retry") {
    const to = { exchange: "", routingKey: retryQueue(queue, step.delayMs) };
    return heldCopy(message, to, { attempt: step.attempt, reason }, longest);
  }
  const to = { exchange: deadLetterExchange, routingKey: queue.name };
  const { attempt } = toRaw(message);
  return heldCopy(message, to, { attempt, reason, failedAt: new Date() }, longest);
}
