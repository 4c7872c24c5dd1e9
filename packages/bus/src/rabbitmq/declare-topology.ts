import type { Channel, Connection } from "rabbitmq-client";
import {
  deadLetterExchange,
  deadLetterQueue,
  eventsExchange,
  queueDeclarations,
  queueTypes,
  unroutedQueue,
} from "@smartcart/contract";

/**
 * Declares exchanges and queues; idempotent. A user without that permission needs an administrator to have declared them
 * (`smartcart roles`). Rejects with the broker's error where they are missing.
 */
export async function ensureTopology(connection: Connection): Promise<void> {
  try {
    await onChannel(connection, declareTopology);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ACCESS_REFUSED") throw error;
    await onChannel(connection, findTopology).catch(() => {
      // The missing permission is the cause to report, not the missing queue.
      throw error;
    });
  }
}

/** An error of the broker closes the channel and rejects the pending calls on it. */
async function onChannel(
  connection: Connection,
  work: (channel: Channel) => Promise<void>,
): Promise<void> {
  const channel = await connection.acquire();
  channel.on("error", () => {});
  await work(channel);
  await channel.close();
}

async function findTopology(channel: Channel): Promise<void> {
  for (const exchange of [unroutedQueue, deadLetterExchange, eventsExchange]) {
    await channel.exchangeDeclare({ exchange, passive: true });
  }
  for (const { queue } of queueDeclarations) await channel.queueDeclare({ queue, passive: true });
}

async function declareTopology(channel: Channel): Promise<void> {
  await channel.exchangeDeclare({ exchange: unroutedQueue, type: "fanout", durable: true });
  await channel.exchangeDeclare({ exchange: deadLetterExchange, type: "direct", durable: true });
  await channel.exchangeDeclare({
    exchange: eventsExchange,
    type: "topic",
    durable: true,
    arguments: { "alternate-exchange": unroutedQueue },
  });
  for (const declaration of queueDeclarations) {
    await channel.queueDeclare({ ...declaration, durable: true });
  }
  await channel.queueBind({ exchange: unroutedQueue, queue: unroutedQueue });
  for (const queue of queueTypes.values()) {
    for (const event of queue.events) {
      const routingKey = event.pattern;
      await channel.queueBind({ exchange: eventsExchange, queue: queue.name, routingKey });
    }
    if (!queue.deadLetter) continue;
    await channel.queueBind({
      exchange: deadLetterExchange,
      queue: deadLetterQueue(queue),
      routingKey: queue.name,
    });
  }
}
