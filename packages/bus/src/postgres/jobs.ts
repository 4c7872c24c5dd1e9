import type { PgBoss } from "pg-boss";
import type { QueueType } from "@smartcart/contract";
import type { Database, Queryable } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { Step } from "../handling.ts";
import { deadLetterQueue, on } from "./queue-engine.ts";
import type { Claim, ClaimedJob } from "./queue-store.ts";
import { placeParts, saveClaim, sortJobs } from "./queue-store.ts";
import type { JobData, StoredMessage } from "./stored-message.ts";
import { messagesOf } from "./stored-message.ts";

/** A claimed job with what is in it. */
export interface Job extends ClaimedJob {
  readonly messages: readonly StoredMessage[];
}

/** Where jobs come from and go to. */
export interface JobStore {
  readonly database: Database;
  readonly boss: PgBoss;
  readonly queue: QueueType;
}

/** The consumer's claim went to somebody else meanwhile: it was taken for dead. */
export class LostClaimError extends Error {
  readonly code = "BUS_CLAIM_LOST";
}

/**
 * Claims up to `limit` jobs, oldest first, and writes down who has them, in one transaction. A job
 * with more than `maxMessages` is cut into parts instead, and so is one that has cost a consumer
 * its life: its messages then go their own ways. `split` says that this happened, and that there is
 * more to claim at once.
 */
export async function claimJobs(
  { database, boss, queue }: JobStore,
  o: { consumer: string; instance: number; limit: number; maxMessages: number },
): Promise<{ jobs: Job[]; split: boolean }> {
  return await withTransaction(database, "queue.claim", async (tx) => {
    const fetched = await boss.fetch(queue.name, { batchSize: o.limit, ...on(tx) });
    if (fetched.length === 0) return { jobs: [], split: false };
    const byId = new Map(fetched.map((job) => [job.id, job]));
    const ids =
      fetched.length > 1 ? await sortJobs(tx, queue.name, [...byId.keys()]) : [...byId.keys()];
    const jobs: Job[] = [];
    let split = false;
    for (const id of ids) {
      const retryCount = byId.get(id)?.retryCount ?? 0;
      const job = { id, retryCount, messages: messagesOf(byId.get(id)?.data) };
      const size = retryCount > 0 ? 1 : o.maxMessages;
      if (job.messages.length <= size) {
        jobs.push(job);
      } else {
        split = true;
        await splitJob(tx, { boss, queue, job, size });
      }
    }
    await saveClaim(tx, o.instance, { consumer: o.consumer, queue: queue.name, jobs });
    return { jobs, split };
  });
}

async function splitJob(
  tx: Queryable,
  o: { boss: PgBoss; queue: QueueType; job: Job; size: number },
): Promise<void> {
  const { boss, queue, job, size } = o;
  const parts: string[] = [];
  for (let from = 0; from < job.messages.length; from += size) {
    const data: JobData = { messages: job.messages.slice(from, from + size) };
    const inserted = await boss.insert(queue.name, [{ data }], { returnId: true, ...on(tx) });
    parts.push(...(inserted ?? []));
  }
  await placeParts(tx, queue.name, job.id, parts);
  await boss.deleteJob(queue.name, [fence(job)], on(tx));
}

/**
 * Carries out what was decided for each message of the jobs, by position, and removes the jobs: all
 * or nothing. Throws a LostClaimError, having done nothing, when a job is in other hands by now.
 */
export async function settleJobs(
  { database, boss, queue }: JobStore,
  jobs: readonly Job[],
  steps: readonly Step[],
): Promise<void> {
  const remove = async (queryable: Queryable) => {
    const { affected } = (await boss.deleteJob(queue.name, jobs.map(fence), on(queryable))) as {
      affected: number;
    };
    if (affected !== jobs.length) {
      throw new LostClaimError(
        `${jobs.length - affected} jobs of queue ${queue.name} were taken over`,
      );
    }
  };
  const messages = jobs.flatMap((job) => job.messages);
  const retries = new Map<number, StoredMessage[]>();
  const dead: StoredMessage[] = [];
  for (const [index, message] of messages.entries()) {
    const step = steps[index];
    if (step?.kind === "retry") {
      const waiting = retries.get(step.delayMs) ?? [];
      retries.set(step.delayMs, [...waiting, { ...message, attempt: step.attempt }]);
    } else if (step?.kind === "dead-letter") {
      dead.push({ ...message, reason: step.reason, failedAt: new Date().toISOString() });
    }
  }
  if (retries.size === 0 && dead.length === 0) return await remove(database);
  await withTransaction(database, "queue.settle", async (tx) => {
    for (const [delayMs, waiting] of retries) {
      const startAfter = delayMs / 1_000;
      await boss.insert(queue.name, [{ data: { messages: waiting }, startAfter }], on(tx));
    }
    if (dead.length > 0) {
      const letters = dead.map((message) => ({ data: { messages: [message] } }));
      await boss.insert(deadLetterQueue(queue), letters, on(tx));
    }
    await remove(tx);
  });
}

/**
 * Gives claimed jobs back as deliveries without an answer; past the delivery limit they become dead
 * letters.
 */
export async function giveBack(tx: Queryable, boss: PgBoss, claim: Claim): Promise<void> {
  if (claim.jobs.length === 0) return;
  const output = { message: "the consumer ended without an answer" };
  await boss.fail(claim.queue, claim.jobs.map(fence), output, on(tx));
}

/** Names this claim of a job: pg-boss leaves the job alone once it is in other hands. */
function fence({ id, retryCount }: ClaimedJob): ClaimedJob {
  return { id, retryCount };
}
