import { queueTypeOf, queueTypes } from "@smartcart/contract";
import { retryUntilReady, timedOut, withTimeout } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate, postgresFaults } from "@smartcart/store";
import { keepRunning } from "../consumer-set.ts";
import type { EngineOptions, EventBus } from "../types.ts";
import { noDeadLetters } from "../types.ts";
import { startConsumer } from "./consumer.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { giveBackAbandoned, openListenConnection } from "./listen-connection.ts";
import {
  countMessages,
  deadLetterQueue,
  oldestMessages,
  probe,
  retryQueue,
} from "./message-store.ts";
import { publish } from "./publisher.ts";
import { startSubscriber } from "./subscriber.ts";

/** Waits for the database, migrates its schema `queue`, and returns the bus on it. */
export async function openPostgresBus(
  o: EngineOptions & { readonly databaseUrl: string },
): Promise<EventBus> {
  const { log } = o;
  const database = queueDatabase(o.databaseUrl, o);
  // While the process starts, every step waits for a database that is away for a moment.
  const whenReady = <T>(attempt: () => Promise<T>) =>
    retryUntilReady({
      what: "the PostgreSQL queue",
      variable: "DATABASE_URL",
      log,
      signal: o.signal,
      faults: postgresFaults,
      attempt,
    });
  const listenConnection = await whenReady(async () => {
    await migrate(database, queueMigrations);
    return await openListenConnection(database, log);
  }).catch(async (error: unknown) => {
    await database[Symbol.asyncDispose]();
    throw error;
  });
  const running = keepRunning();

  return {
    engine: "postgres",
    publish: (events, options = {}) => publish(database, events, options),
    async consume(queue, options) {
      const parts = { database, listenConnection, queue: queueTypeOf(queue) };
      // Messages that a dead consumer had claimed come before those that wait in the queue.
      await whenReady(() => giveBackAbandoned(database, log));
      return running.add(await startConsumer(options, parts));
    },
    async subscribe(event, options) {
      const attach = () => startSubscriber(event, options, { database, listenConnection });
      return running.add(await whenReady(attach));
    },
    deadLetters(name) {
      const queue = queueTypeOf(name);
      return queue.deadLetter ? createDeadLetters(queue, database) : noDeadLetters;
    },
    // An event without a queue or subscriber is not stored.
    dropUnrouted: async () => 0,
    depths: () => readDepths(database),
    oldestMs: () => oldestMessages(database, [...queueTypes.keys()]),
    check: () =>
      withTimeout(probe(database), 2_000, timedOut("the PostgreSQL queue did not answer", 2_000)),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await listenConnection[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

function queueDatabase(url: string, { name, log }: EngineOptions) {
  return createDatabase({
    url,
    schema: "queue",
    log,
    maxConnections: 10,
    applicationName: `${name} queue`,
    avoidSequentialScans: true,
  });
}

const queueMigrations = {
  name: "bus",
  directory: new URL("../../migrations/queue/", import.meta.url),
};

async function readDepths(database: Database): Promise<Record<string, number>> {
  const depths: Record<string, number> = {};
  for (const queue of queueTypes.values()) {
    depths[queue.name] = 0;
    if (queue.retryDelaysMs.length > 0) depths[retryQueue(queue)] = 0;
    if (queue.deadLetter) depths[deadLetterQueue(queue)] = 0;
  }
  for (const { queue, messages } of await countMessages(database)) depths[queue] = messages;
  return depths;
}
