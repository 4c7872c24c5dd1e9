import type { Channel } from "rabbitmq-client";
import {
  deadLetterExchange,
  deadLetterQueue,
  eventsExchange,
  queueDeclarations,
  queueTypes,
  unroutedQueue,
} from "@smartcart/contract";

/** Declares everything; harmless when it is there. */
export async function declareTopology(channel: Channel): Promise<void> {
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
