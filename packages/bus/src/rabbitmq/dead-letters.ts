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
/** With more dead letters than this their order is not kept: it would take too long. */
const longestRound = 5_000;

/**
 * The dead letters of a queue. AMQP has no way to read messages without taking them: each call gets them
 * one by one, and those that it does not take go back in their order at its end, or when its connection
 * is lost.
 */
export function createDeadLetters(
  queue: QueueType,
  parts: { connection: RawConnection; publisher: Publisher },
): DeadLetters {
  const { connection, publisher } = parts;
  const name = deadLetterQueue(queue);

  return {
    async list({ limit = 100 } = {}) {
      const deadLetters: DeadLetter[] = [];
      if (limit <= 0) return deadLetters;
      await visit(connection, name, async (message) => {
        return { take: false, enough: deadLetters.push(toDeadLetter(message)) >= limit };
      });
      return deadLetters;
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

  /** Takes those with these ids, until `act` returns false for one; `act` gets the number taken so far. */
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
      // Returned messages go behind those that were not read: to keep the order, every message has
      // to be read.
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
 * Returns what was not taken, and waits until the broker has done so, for the next call to find it.
 */
async function putBack(channel: Channel, queue: string, expected: number): Promise<void> {
  channel.basicNack({ deliveryTag: 0, multiple: true, requeue: true });
  for (let look = 0; look < 40 && (await countReady(channel, queue)) < expected; look++) {
    await delay(25);
  }
}
