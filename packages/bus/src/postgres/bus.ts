import type { PgBoss } from "pg-boss";
import { queueTypeOf, queueTypes } from "@smartcart/contract";
import type { Logger, StartFault } from "@smartcart/runtime";
import { retryUntilReady, startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, postgresFaults, withTransaction } from "@smartcart/store";
import { keepRunning } from "../running.ts";
import type { EventBus } from "../types.ts";
import { noDeadLetters } from "../types.ts";
import { withTimeout } from "../with-timeout.ts";
import { startConsumer } from "./consumer.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { giveBack } from "./jobs.ts";
import { publish } from "./publisher.ts";
import { deadLetterQueue, queueSchema, startQueueEngine } from "./queue-engine.ts";
import { countMessages, probe, takeAbandonedClaims } from "./queue-store.ts";
import { openSession } from "./session.ts";
import { startSubscriber } from "./subscriber.ts";

/** What the PostgreSQL engine needs. */
export interface PostgresBusOptions {
  /** `postgres://user:password@host:port/database` */
  readonly databaseUrl: string;
  /** Shown in `pg_stat_activity`: `shipping`. */
  readonly name: string;
  readonly log: Logger;
  readonly signal?: AbortSignal | undefined;
}

/** Processes that start at once make the same queues; who comes second finds them at the next try. */
const startRaces: readonly StartFault[] = [
  { code: /^(23505|42P06|42P07|42710)$/ },
  { message: /tuple concurrently (updated|deleted)/ },
];

/** How soon the messages of a dead consumer go to another one. */
const sweepMs = 1_000;

/** Waits for the database, makes the queues in its schema `queue`, and answers the bus on them. */
export async function openPostgresBus(o: PostgresBusOptions): Promise<EventBus> {
  const { log } = o;
  const database = createDatabase({
    url: o.databaseUrl,
    schema: queueSchema,
    log,
    maxConnections: 10,
    applicationName: `${o.name} queue`,
  });
  const { boss, session } = await retryUntilReady({
    what: "the PostgreSQL queue",
    variable: "DATABASE_URL",
    log,
    signal: o.signal,
    faults: [...startRaces, ...postgresFaults],
    attempt: () => start(database, log),
  }).catch(async (error: unknown) => {
    await database[Symbol.asyncDispose]();
    throw error;
  });
  const running = keepRunning();
  const sweeper = startTimer({
    name: "bus.sweep",
    intervalMs: sweepMs,
    log,
    run: () => giveBackAbandoned(database, boss, log),
  });

  return {
    engine: "postgres",
    publish: (events, options = {}) => publish(events, options, { database, boss, log }),
    async consume(queue, options) {
      const parts = { database, boss, session, queue: queueTypeOf(queue) };
      // What the one before us had in hand when it died comes before what is still in the queue.
      await giveBackAbandoned(database, boss, log);
      return running.add(await startConsumer(options, parts));
    },
    async subscribe(event, options) {
      return running.add(await startSubscriber(event, options, { database, session }));
    },
    deadLetters(name) {
      const queue = queueTypeOf(name);
      return queue.deadLetter ? createDeadLetters(queue, { database, boss }) : noDeadLetters;
    },
    depths: () => readDepths(database),
    check: () => withTimeout(2_000, "the PostgreSQL queue did not answer", () => probe(database)),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await sweeper[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
      await boss.stop({ graceful: false });
      await database[Symbol.asyncDispose]();
    },
  };
}

async function start(database: Database, log: Logger) {
  const boss = await startQueueEngine(database, log);
  try {
    return { boss, session: await openSession(database, log) };
  } catch (error) {
    await boss.stop({ graceful: false });
    throw error;
  }
}

async function giveBackAbandoned(database: Database, boss: PgBoss, log: Logger): Promise<void> {
  const claims = await withTransaction(database, "queue.sweep", async (tx) => {
    const abandoned = await takeAbandonedClaims(tx);
    for (const claim of abandoned) await giveBack(tx, boss, claim);
    return abandoned;
  });
  for (const { queue, consumer, jobs } of claims) {
    log.warn("bus.consumer_died", { queue, consumer, jobs: jobs.length });
  }
}

async function readDepths(database: Database): Promise<Record<string, number>> {
  const depths: Record<string, number> = {};
  for (const queue of queueTypes.values()) {
    depths[queue.name] = 0;
    if (queue.retryDelaysMs.length > 0) depths[`${queue.name}.retry`] = 0;
    if (queue.deadLetter) depths[deadLetterQueue(queue)] = 0;
  }
  for (const { queue, delayed, messages } of await countMessages(database)) {
    const name = delayed ? `${queue}.retry` : queue;
    depths[name] = (depths[name] ?? 0) + messages;
  }
  return depths;
}
