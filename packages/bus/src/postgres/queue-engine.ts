import type { Db } from "pg-boss";
import { PgBoss } from "pg-boss";
import type { QueueType } from "@smartcart/contract";
import { queueTypes } from "@smartcart/contract";
import type { Logger } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { DatabaseClient, migrate } from "@smartcart/store";

/** The schema of pg-boss and of our tables beside it. */
export const queueSchema = "queue";

/** The dead-letter queue of a work queue. */
export function deadLetterQueue(queue: QueueType): string {
  return `${queue.name}.dlq`;
}

/**
 * Starts pg-boss and makes its queues. Everything on the hot path is handed our own connections;
 * the two that it opens itself are for its upkeep.
 */
export async function startQueueEngine(database: Database, log: Logger): Promise<PgBoss> {
  await migrate(database, {
    name: "bus",
    directory: new URL("../../migrations/queue/", import.meta.url),
  });
  const connection = { connectionString: database.url, Client: DatabaseClient, keepAlive: true };
  const boss = new PgBoss({
    ...connection,
    schema: queueSchema,
    max: 2,
    application_name: "smartcart-queue",
    schedule: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
  });
  boss.on("error", (error) => log.warn("bus.queue_upkeep_failed", { error }));
  boss.on("warning", ({ message }) => log.warn("bus.queue_warning", { message }));
  await boss.start();
  for (const queue of queueTypes.values()) await createQueues(boss, queue);
  return boss;
}

/** Lets a call of pg-boss run on our connection or in our transaction. */
export function on(queryable: Queryable): { db: Db } {
  return {
    db: {
      executeSql: (text, values) => queryable.query(values ? { text, values } : { text }),
    },
  };
}

const tenYearsSeconds = 315_360_000;

async function createQueues(boss: PgBoss, queue: QueueType): Promise<void> {
  // A message is given up by our rules only, never for its age.
  const settings = { retentionSeconds: tenYearsSeconds, expireInSeconds: 3_600 };
  if (queue.deadLetter) await createQueue(boss, deadLetterQueue(queue), settings);
  await createQueue(boss, queue.name, {
    ...settings,
    // What pg-boss calls a retry is a delivery that ended without an answer. The attempts of the
    // contract, with their ladder, are counted in the message.
    retryLimit: queue.deliveryLimit,
    retryDelay: 0,
    deleteAfterSeconds: 60,
    ...(queue.deadLetter && { deadLetter: deadLetterQueue(queue) }),
  });
}

async function createQueue(
  boss: PgBoss,
  name: string,
  settings: Parameters<PgBoss["createQueue"]>[1],
): Promise<void> {
  await boss.createQueue(name, settings);
  await boss.updateQueue(name, settings);
}
