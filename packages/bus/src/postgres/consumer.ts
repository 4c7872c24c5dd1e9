import { randomUUID } from "node:crypto";
import { withTransaction } from "@smartcart/store";
import { handleBatch } from "../handling.ts";
import type { ConsumeOptions, RunningConsumer } from "../types.ts";
import { createDoorbell } from "./doorbell.ts";
import type { Job, JobStore } from "./jobs.ts";
import { claimJobs, giveBack, LostClaimError, settleJobs } from "./jobs.ts";
import { takeClaim } from "./queue-store.ts";
import type { Session } from "./session.ts";
import { toRaw } from "./stored-message.ts";

/** What a consumer works with. */
export interface ConsumerParts extends JobStore {
  readonly session: Session;
}

/** Without a hint the queue is looked at this often; it is also how late a due retry may come. */
const pollMs = 250;

/** Joins the consumers of a queue; see `EventBus.consume`. */
export async function startConsumer(
  o: ConsumeOptions,
  parts: ConsumerParts,
): Promise<RunningConsumer> {
  const bell = createDoorbell();
  const removeHint = parts.session.onHint(parts.queue.name, bell.ring);
  const stop = new AbortController();
  const worker = createWorker(o, parts, stop.signal);
  const loop = async () => {
    while (!stop.signal.aborted) {
      const busy = await worker.round();
      if (!busy) await bell.wait(pollMs, stop.signal);
    }
    await worker.leave();
  };
  const looping = loop();
  return {
    ready: () => !stop.signal.aborted && worker.healthy() && parts.session.instance() !== undefined,
    async [Symbol.asyncDispose]() {
      stop.abort();
      removeHint();
      await looping;
    },
  };
}

interface Worker {
  /**
   * Claims and handles; false when there was nothing to do or nothing could be done. Never throws.
   */
  round(): Promise<boolean>;
  healthy(): boolean;
  leave(): Promise<void>;
}

function createWorker(o: ConsumeOptions, parts: ConsumerParts, stop: AbortSignal): Worker {
  const consumer = randomUUID();
  const maxBatch = o.maxBatch ?? 1;
  let healthy = true;
  // Jobs may still be claimed in our name although we do not have them in hand.
  let dirty = false;
  // See the RabbitMQ consumer: jobs that have cost lives are taken alone, and so is the first one.
  let careful = true;
  let messagesPerJob = 1;

  async function round(): Promise<boolean> {
    try {
      if (dirty) await recover();
      const instance = parts.session.instance();
      if (instance === undefined) return false;
      const limit = careful ? 1 : Math.max(1, Math.ceil(maxBatch / messagesPerJob));
      const maxMessages = maxBatch;
      const claim = { consumer, instance, limit, maxMessages };
      const { jobs, split } = await claimJobs(parts, claim);
      healthy = true;
      for (const batch of packBatches(jobs, maxBatch)) {
        dirty = true;
        if (stop.aborted) return false;
        await work(batch);
        dirty = false;
      }
      return jobs.length > 0 || split;
    } catch (error) {
      dirty = true;
      healthy = error instanceof LostClaimError;
      o.log.warn("bus.consume_failed", { consumer: o.name, queue: parts.queue.name, error });
      return false;
    }
  }

  async function work(batch: readonly Job[]): Promise<void> {
    const messages = batch.flatMap((job) => job.messages);
    const steps = await handleBatch(parts.queue, messages.map(toRaw), o, () => stop.aborted);
    await settleJobs(parts, batch, steps);
    careful = batch.some((job) => job.retryCount >= 2);
    messagesPerJob = messages.length / batch.length;
  }

  async function recover(): Promise<void> {
    await withTransaction(parts.database, "queue.recover", async (tx) => {
      const claim = await takeClaim(tx, consumer);
      if (claim !== undefined) await giveBack(tx, parts.boss, claim);
    });
    dirty = false;
  }

  return {
    round,
    healthy: () => healthy,
    async leave() {
      try {
        await recover();
      } catch (error) {
        // The others take it away once this bus is gone.
        o.log.warn("bus.leave_failed", { consumer: o.name, error });
      }
    },
  };
}

/** Fills batches with whole jobs, in order. */
function packBatches(jobs: readonly Job[], maxBatch: number): Job[][] {
  const batches: Job[][] = [];
  let room = 0;
  for (const job of jobs) {
    if (job.messages.length > room || batches.length === 0) {
      batches.push([]);
      room = maxBatch;
    }
    batches.at(-1)?.push(job);
    room -= job.messages.length;
  }
  return batches;
}
