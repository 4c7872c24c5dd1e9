import type { PgBoss } from "pg-boss";
import type { QueueType } from "@smartcart/contract";
import { delay } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import { failureTimeOf, idOf } from "../message.ts";
import type { DeadLetter, DeadLetters } from "../types.ts";
import { deadLetterQueue, on } from "./queue-engine.ts";
import type { DeadJob } from "./queue-store.ts";
import { countMessages, notify, readDeadJobs } from "./queue-store.ts";
import { hintChannel } from "./session.ts";
import type { StoredMessage } from "./stored-message.ts";
import { foreignFieldsOf, messagesOf, toRaw } from "./stored-message.ts";

const everything = 1_000_000;

/** The dead letters of a queue; a job of its dead-letter queue each. */
export function createDeadLetters(
  queue: QueueType,
  parts: { database: Database; boss: PgBoss },
): DeadLetters {
  const { database, boss } = parts;
  const name = deadLetterQueue(queue);

  /** Removes the job under its lock, so that of two calls only one does something with it. */
  async function take(job: DeadJob, use: (tx: Queryable) => Promise<void>): Promise<boolean> {
    return await withTransaction(database, "queue.dead-letter", async (tx) => {
      const [locked] = await readDeadJobs(tx, name, { limit: 1, ids: [job.id], lock: true });
      if (locked === undefined) return false;
      await use(tx);
      await boss.deleteJob(name, job.id, on(tx));
      return true;
    });
  }

  async function matching(ids: readonly string[] | "all", limit: number): Promise<DeadJob[]> {
    // Each job holds a message at least.
    const most = ids === "all" ? Math.min(limit, everything) : everything;
    const jobs = await readDeadJobs(database, name, { limit: most });
    if (ids === "all") return jobs;
    const wanted = new Set(ids);
    return jobs.filter((job) =>
      messagesOf(job.data).some((message) => wanted.has(idOfStored(message))),
    );
  }

  return {
    async list({ limit = 100 } = {}) {
      const jobs = await readDeadJobs(database, name, { limit });
      return jobs.flatMap(toDeadLetters).slice(0, limit);
    },
    async count() {
      const rows = await countMessages(database);
      return rows.filter((row) => row.queue === name).reduce((sum, row) => sum + row.messages, 0);
    },
    async redrive(ids, { maxPerSecond, limit = Number.POSITIVE_INFINITY } = {}) {
      let moved = 0;
      if (limit <= 0) return 0;
      for (const job of await matching(ids, limit)) {
        if (moved >= limit) break;
        if (moved > 0 && maxPerSecond !== undefined) await delay(1_000 / maxPerSecond);
        const messages = messagesOf(job.data).map(afresh);
        const data = { messages };
        const done = await take(
          job,
          async (tx) => void (await boss.insert(queue.name, [{ data }], on(tx))),
        );
        if (done) moved += messages.length;
      }
      if (moved > 0) await notify(database, hintChannel, [queue.name]);
      return moved;
    },
    async drop(ids, { limit = Number.POSITIVE_INFINITY } = {}) {
      let dropped = 0;
      if (limit <= 0) return 0;
      for (const job of await matching(ids, limit)) {
        if (dropped >= limit) break;
        if (await take(job, async () => {})) dropped += messagesOf(job.data).length;
      }
      return dropped;
    },
  };
}

/** Whatever somebody wrote into the job, never throws. */
function toDeadLetters(job: DeadJob): DeadLetter[] {
  return messagesOf(job.data).map((message) => {
    const { contentType, ...headers } = foreignFieldsOf(message);
    const raw = toRaw(message);
    return {
      id: idOf(raw),
      type: message.type,
      reason: reasonOf(message),
      attempt: raw.attempt,
      failedAt: failureTimeOf(message.failedAt) ?? job.createdAt,
      traceparent: message.traceparent,
      body: raw.body,
      properties: contentType === undefined ? {} : { contentType },
      headers,
    };
  });
}

function reasonOf({ reason }: { readonly reason?: unknown }): string {
  if (typeof reason === "string") return reason;
  // Without a reason pg-boss gave it up.
  if (reason === undefined) return "given up: too many deliveries ended without an answer";
  return JSON.stringify(reason);
}

function afresh({
  reason: _reason,
  failedAt: _failedAt,
  ...message
}: StoredMessage): StoredMessage {
  return { ...message, attempt: 1 };
}

function idOfStored(message: StoredMessage): string {
  return idOf(toRaw(message));
}
