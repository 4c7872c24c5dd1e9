import { queueTypeOf, queueTypes } from "@smartcart/contract";
import { retryUntilReady, timedOut, withTimeout } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate, postgresFaults } from "@smartcart/store";
import { keepRunning } from "../consumer-set.ts";
import type { EngineOptions, EventBus } from "../types.ts";
import { noDeadLetters } from "../types.ts";
import { startConsumer } from "./consumer.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { giveBackAbandoned, openSession } from "./listen-connection.ts";
import {
  countMessages,
  deadLetterQueue,
  oldestMessages,
  probe,
  retryQueue,
} from "./message-store.ts";
import { publish } from "./publisher.ts";
import { startSubscriber } from "./subscriber.ts";

/** Waits for the database, makes the queues in its schema `queue`, and answers the bus on them. */
export async function openPostgresBus(
  o: EngineOptions & { readonly databaseUrl: string },
): Promise<EventBus> {
  const { log } = o;
  const database = queueDatabase(o.databaseUrl, o);
  // A database that is away for a moment while the process starts is waited for, whatever was about to be done.
  const whenReady = <T>(attempt: () => Promise<T>) =>
    retryUntilReady({
      what: "the PostgreSQL queue",
      variable: "DATABASE_URL",
      log,
      signal: o.signal,
      faults: postgresFaults,
      attempt,
    });
  const session = await whenReady(async () => {
    await migrate(database, queueMigrations);
    return await openSession(database, log);
  }).catch(async (error: unknown) => {
    await database[Symbol.asyncDispose]();
    throw error;
  });
  const running = keepRunning();

  return {
    engine: "postgres",
    publish: (events, options = {}) => publish(database, events, options),
    async consume(queue, options) {
      const parts = { database, session, queue: queueTypeOf(queue) };
      // What the one before us had in hand when it died comes before what is still in the queue.
      await whenReady(() => giveBackAbandoned(database, log));
      return running.add(await startConsumer(options, parts));
    },
    async subscribe(event, options) {
      const attach = () => startSubscriber(event, options, { database, session });
      return running.add(await whenReady(attach));
    },
    deadLetters(name) {
      const queue = queueTypeOf(name);
      return queue.deadLetter ? createDeadLetters(queue, database) : noDeadLetters;
    },
    // What nobody listens for is not stored.
    dropUnrouted: async () => 0,
    depths: () => readDepths(database),
    oldestMs: () => oldestMessages(database, [...queueTypes.keys()]),
    check: () =>
      withTimeout(probe(database), 2_000, timedOut("the PostgreSQL queue did not answer", 2_000)),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
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
