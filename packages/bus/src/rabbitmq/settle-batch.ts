import type { Channel } from "rabbitmq-client";
import type { QueueType } from "@smartcart/contract";
import { deadLetterExchange, retryQueue } from "@smartcart/contract";
import { delay } from "@smartcart/runtime";
import type { Step } from "../message-processor.ts";
import { toRaw } from "./amqp-message.ts";
import type { RawPublish } from "./frames.ts";
import { heldCopy } from "./message-copy.ts";
import type { Publisher } from "./publisher.ts";
import type { RawConnection, ReceivedMessage } from "./raw-connection.ts";
import { longestPayload } from "./raw-connection.ts";

/** Messages of a queue that were handled, each with its next step at the same index. */
interface HandledBatch {
  readonly channel: Channel;
  readonly queue: QueueType;
  readonly batch: readonly ReceivedMessage[];
  readonly steps: readonly Step[];
  readonly connection: RawConnection;
  readonly publisher: Publisher;
}

/** Longest wait for the confirms of retry copies and dead letters, in milliseconds. */
const copyTimeoutMs = 5_000;

/** Stores the copies of what failed, then removes the batch from the queue. */
export async function settle(o: HandledBatch): Promise<void> {
  const { channel, queue, batch, steps } = o;
  const copies: RawPublish[] = [];
  const longest = longestPayload(o.connection);
  const sources: number[] = [];
  for (const [index, message] of batch.entries()) {
    const step = steps[index];
    if (step === undefined || step.kind === "remove") continue;
    copies.push(copyFor(queue, message, step, longest));
    sources.push(index);
  }
  const unconfirmed = new Set<number>();
  if (copies.length > 0) {
    const results = await o.publisher.publish(copies, { timeoutMs: copyTimeoutMs });
    for (const [at, result] of results.entries()) {
      if (result !== "confirmed") unconfirmed.add(sources[at] ?? -1);
    }
  }
  // A message without a confirmed copy stays in the queue; the pause avoids a tight loop of redeliveries.
  if (unconfirmed.size > 0) await delay(1_000);
  if (channel.active) answer(channel, batch, unconfirmed);
}

function answer(
  channel: Channel,
  batch: readonly ReceivedMessage[],
  unconfirmed: ReadonlySet<number>,
): void {
  const last = batch.at(-1);
  if (last === undefined) return;
  if (unconfirmed.size === 0) {
    // All earlier batches of this channel are answered, so that this covers just the present one.
    channel.basicAck({ deliveryTag: last.deliveryTag, multiple: true });
    return;
  }
  for (const [index, { deliveryTag }] of batch.entries()) {
    if (unconfirmed.has(index)) channel.basicNack({ deliveryTag, requeue: true });
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
