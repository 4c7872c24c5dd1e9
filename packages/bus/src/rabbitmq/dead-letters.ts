import type { Channel } from "rabbitmq-client";
import type { QueueType } from "@smartcart/contract";
import { deadLetterQueue } from "@smartcart/contract";
import { delay } from "@smartcart/runtime";
import { idOf } from "../message.ts";
import type { DeadLetter, DeadLetters } from "../types.ts";
import { toDeadLetter, toRaw } from "./amqp-message.ts";
import { releasedCopy } from "./message-copy.ts";
import type { Publisher } from "./publisher.ts";
import type { RawConnection, ReceivedMessage } from "./raw-connection.ts";
import { getMessage, longestPayload } from "./raw-connection.ts";

const copyTimeoutMs = 5_000;
/** Of more dead letters than this the order is not worth the time. */
const longestRound = 5_000;

/**
 * The dead letters of a queue. AMQP has no way to look without taking: each call gets the messages
 * one by one, and those that it leaves go back in their order at its end, or when its connection is
 * lost.
 */
export function createDeadLetters(
  queue: QueueType,
  parts: { connection: RawConnection; publisher: Publisher },
): DeadLetters {
  const { connection, publisher } = parts;
  const name = deadLetterQueue(queue);

  return {
    async list({ limit = 100 } = {}) {
      const letters: DeadLetter[] = [];
      if (limit <= 0) return letters;
      await visit(connection, name, async (message) => {
        return { take: false, enough: letters.push(toDeadLetter(message)) >= limit };
      });
      return letters;
    },
    async count() {
      const channel = await connection.acquire();
      const count = await countReady(channel, name);
      await channel.close();
      return count;
    },
    redrive: (ids, { maxPerSecond, limit } = {}) =>
      take(ids, limit, async (message, moved) => {
        if (moved > 0 && maxPerSecond !== undefined) await delay(1_000 / maxPerSecond);
        const to = { exchange: "", routingKey: queue.name };
        const copy = releasedCopy(message, to, longestPayload(connection));
        const [result] = await publisher.publish([copy], { timeoutMs: copyTimeoutMs });
        return result === "confirmed";
      }),
    drop: (ids, { limit } = {}) => take(ids, limit, async () => true),
  };

  /** Takes those with these ids, until `act`, which is told of how many before, answers false for one. */
  async function take(
    ids: readonly string[] | "all",
    limit = Number.POSITIVE_INFINITY,
    act: (message: ReceivedMessage, taken: number) => Promise<boolean>,
  ): Promise<number> {
    let taken = 0;
    if (limit <= 0) return taken;
    await visit(connection, name, async (message) => {
      if (ids !== "all" && !ids.includes(idOf(toRaw(message)))) return { take: false };
      if (!(await act(message, taken))) return { take: false, enough: true };
      return { take: true, enough: ++taken >= limit };
    });
    return taken;
  }
}

type Visitor = (message: ReceivedMessage) => Promise<{ take: boolean; enough?: boolean }>;

/** Shows each message to `visitor`, which takes it or leaves it, until it has seen enough. */
async function visit(connection: RawConnection, name: string, visitor: Visitor): Promise<void> {
  const channel = await connection.acquire({ emitErrorsFromChannel: true });
  channel.on("error", () => {});
  try {
    const before = await countReady(channel, name);
    let taken = 0;
    let enough = false;
    // Bounded: what arrives meanwhile, or comes back from a redrive, is left for the next call.
    for (let seen = 0; seen < before; seen++) {
      // What goes back queues up behind what was never gotten: to keep the order, all of it has
      // to go round.
      if (enough && (seen === taken || before > longestRound)) break;
      const message = await getMessage(channel, name);
      if (message === undefined) break;
      if (enough) continue;
      const verdict = await visitor(message);
      enough = verdict.enough ?? false;
      if (!verdict.take) continue;
      channel.basicAck({ deliveryTag: message.deliveryTag });
      taken++;
    }
    await putBack(channel, name, before - taken);
  } finally {
    await channel.close();
  }
}

async function countReady(channel: Channel, queue: string): Promise<number> {
  return (await channel.queueDeclare({ queue, passive: true })).messageCount;
}

/**
 * Returns what was not taken. The broker does that in its own time: the next call should find it.
 */
async function putBack(channel: Channel, queue: string, expected: number): Promise<void> {
  channel.basicNack({ deliveryTag: 0, multiple: true, requeue: true });
  for (let look = 0; look < 40 && (await countReady(channel, queue)) < expected; look++) {
    await delay(25);
  }
}
