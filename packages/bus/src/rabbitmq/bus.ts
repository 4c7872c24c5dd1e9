import {
  eventsExchange,
  isMandatory,
  queueDeclarations,
  queueTypeOf,
  unroutedQueue,
} from "@smartcart/contract";
import {
  reasonOf,
  remedyFor,
  retryUntilReady,
  StartError,
  timedOut,
  withTimeout,
} from "@smartcart/runtime";
import { keepRunning } from "../consumer-set.ts";
import type { EngineOptions, EventBus } from "../types.ts";
import { noDeadLetters } from "../types.ts";
import { toMessage } from "./amqp-message.ts";
import { claimQueue } from "./claim-queue.ts";
import { closeConnection, describeUrl, openConnection } from "./connection.ts";
import { startConsumer } from "./consumer.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { ensureTopology } from "./declare-topology.ts";
import { createPublisher } from "./publisher.ts";
import { rabbitmqFaults } from "./rabbitmq-faults.ts";
import type { RawConnection } from "./raw-connection.ts";
import { startSubscriber } from "./subscriber.ts";

/** What the RabbitMQ engine needs. */
interface RabbitmqBusOptions extends EngineOptions {
  /** `amqp://user:password@host:port/vhost` */
  readonly amqpUrl: string;
  /** The database whose consumers own the queues, see `claimQueue`. Undefined: they are not claimed. */
  readonly owner?: string | undefined;
}

/** Waits for the broker, declares the topology, and returns the bus on it. */
export async function openRabbitmqBus(o: RabbitmqBusOptions): Promise<EventBus> {
  const { sending, receiving } = await retryUntilReady({
    what: URL.canParse(o.amqpUrl) ? describeUrl(o.amqpUrl) : "RabbitMQ",
    variable: "AMQP_URL",
    log: o.log,
    signal: o.signal,
    attempt: () => openConnections(o),
    faults: rabbitmqFaults,
    port: plainPortOf(o.amqpUrl),
  });
  const publisher = createPublisher(sending);
  const running = keepRunning();

  return {
    engine: "rabbitmq",
    async publish(events, { signal, timeoutMs = 5_000 } = {}) {
      const messages = events.map((event) =>
        toMessage(event, { exchange: eventsExchange, mandatory: isMandatory(event.type) }),
      );
      const results = await publisher.publish(messages, { timeoutMs, signal });
      const having = (wanted: string) =>
        events.filter((_, index) => results[index] === wanted).map((event) => event.id);
      return {
        confirmed: having("confirmed"),
        unknown: having("unknown"),
        unroutable: having("returned"),
      };
    },
    async consume(queue, options) {
      const parts = { connection: receiving, publisher };
      const type = queueTypeOf(queue);
      if (o.owner !== undefined) await claimQueue(receiving, type, o.owner);
      const attaching = startConsumer(type, options, parts);
      return running.add(await orStartError(`queue ${queue}`, attaching));
    },
    async subscribe(event, options) {
      const attaching = startSubscriber(event, options, receiving);
      return running.add(await orStartError(`events ${event.typeName}`, attaching));
    },
    deadLetters(name) {
      const queue = queueTypeOf(name);
      return queue.deadLetter
        ? createDeadLetters(queue, { connection: receiving, publisher })
        : noDeadLetters;
    },
    dropUnrouted: () => purge(receiving, unroutedQueue),
    depths: () => countMessages(receiving),
    oldestMs: async () => undefined,
    async check() {
      if (!sending.ready) throw new Error("the connection to RabbitMQ for publishing is down");
      await withTimeout(probe(receiving), 2_000, timedOut("RabbitMQ did not answer", 2_000));
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await publisher[Symbol.asyncDispose]();
      await Promise.all([closeConnection(sending), closeConnection(receiving)]);
    },
  };
}

/** Rejects where the broker does not answer, or does not have the exchange. */
async function probe(connection: RawConnection): Promise<void> {
  const channel = await connection.acquire();
  await channel.exchangeDeclare({ exchange: eventsExchange, type: "topic", passive: true });
  await channel.close();
}

/** Undefined for amqps://, where TLS is what is expected. */
function plainPortOf(amqpUrl: string) {
  const url = URL.parse(amqpUrl);
  if (url?.protocol !== "amqp:") return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { host, port: Number(url.port || 5672), protocol: "AMQP 0-9-1" };
}

/**
 * A broker that runs short of memory or disk blocks connections that publish: consumers need one of
 * their own.
 */
async function openConnections(
  o: RabbitmqBusOptions,
): Promise<{ sending: RawConnection; receiving: RawConnection }> {
  const open = (suffix: string) =>
    openConnection({ url: o.amqpUrl, name: `${o.name} ${suffix}`, log: o.log });
  const sending = await open("publish");
  try {
    await ensureTopology(sending);
    return { sending, receiving: await open("consume") };
  } catch (error) {
    sending.unsafeDestroy();
    throw error;
  }
}

/** Turns an error that does not go away by itself into a StartError, as for a connection. */
async function orStartError<T>(what: string, attaching: Promise<T>): Promise<T> {
  try {
    return await attaching;
  } catch (cause) {
    const remedy = remedyFor(cause, rabbitmqFaults);
    if (remedy === undefined) throw cause;
    const message = `AMQP_URL: ${what}: ${reasonOf(cause)}: ${remedy}`;
    throw new StartError(message, { variable: "AMQP_URL", cause });
  }
}

async function purge(connection: RawConnection, queue: string): Promise<number> {
  const channel = await connection.acquire();
  try {
    return (await channel.queuePurge({ queue })).messageCount;
  } finally {
    await channel.close();
  }
}

async function countMessages(connection: RawConnection): Promise<Record<string, number>> {
  const channel = await connection.acquire();
  try {
    const depths: Record<string, number> = {};
    for (const { queue } of queueDeclarations) {
      depths[queue] = (await channel.queueDeclare({ queue, passive: true })).messageCount;
    }
    return depths;
  } finally {
    await channel.close();
  }
}
