/**
 * What is declared on the broker, derived from the contract. The arguments are chosen so that
 * RabbitMQ 3.10 and 4.x understand all of them alike. They can never change for a queue that
 * exists: declaring it with others fails until it is deleted.
 */
import type { QueueType } from "./event-types.ts";
import { queueTypes } from "./event-types.ts";

/** The topic exchange of all events. */
export const eventsExchange = "smartcart.events";
/** The exchange in front of the dead-letter queues; the routing key is the work queue's name. */
export const deadLetterExchange = "smartcart.dlx";
/** The exchange and queue of events for which no queue is bound. */
export const unroutedQueue = "smartcart.unrouted";

/** The dead-letter queue of a work queue. */
export function deadLetterQueue(queue: QueueType): string {
  return `${queue.name}.dlq`;
}

/** The queue in which a message of `queue` waits for `delayMs`. */
export function retryQueue(queue: QueueType, delayMs: number): string {
  return `${queue.name}.retry.${delayMs % 1000 === 0 ? `${delayMs / 1000}s` : `${delayMs}ms`}`;
}

/** A queue and its arguments. */
export interface QueueDeclaration {
  readonly queue: string;
  readonly arguments: Readonly<Record<string, string | number>>;
}

/** Every durable queue, by the contract. */
export const queueDeclarations: readonly QueueDeclaration[] = [
  ...[...queueTypes.values()].flatMap(declareQueue),
  {
    queue: unroutedQueue,
    // A sample for operators, not a store: without subscribers every fan-out event ends here.
    arguments: { "x-queue-type": "quorum", "x-max-length": 10_000, "x-overflow": "drop-head" },
  },
];

function declareQueue(queue: QueueType): QueueDeclaration[] {
  const work: QueueDeclaration = {
    queue: queue.name,
    arguments: {
      "x-queue-type": "quorum",
      "x-delivery-limit": queue.deliveryLimit,
      ...(queue.deadLetter && deadLetterTo(deadLetterExchange, queue.name)),
    },
  };
  const retries = queue.retryDelaysMs.map((delayMs) => ({
    queue: retryQueue(queue, delayMs),
    arguments: {
      "x-queue-type": "quorum",
      "x-message-ttl": delayMs,
      ...deadLetterTo("", queue.name),
    },
  }));
  if (!queue.deadLetter) return [work, ...retries];
  const dead: QueueDeclaration = {
    queue: deadLetterQueue(queue),
    // Reading a dead letter counts as a delivery, and since 4.0 a message is deleted after 20 of them
    // unless a limit is set.
    arguments: { "x-queue-type": "quorum", "x-delivery-limit": 1_000_000 },
  };
  return [work, ...retries, dead];
}

/**
 * Dead-lettering that survives a crash between two queues; it needs the overflow rule beside it.
 */
function deadLetterTo(exchange: string, routingKey: string): Record<string, string> {
  return {
    "x-dead-letter-exchange": exchange,
    "x-dead-letter-routing-key": routingKey,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
  };
}
