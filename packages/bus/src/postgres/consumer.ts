import { randomUUID } from "node:crypto";
import type { QueueType } from "@smartcart/contract";
import type { Database } from "@smartcart/store";
import { idOf } from "../message.ts";
import type { Step } from "../message-processor.ts";
import { handleBatch, nextStep } from "../message-processor.ts";
import type { ConsumeOptions, RunningConsumer } from "../types.ts";
import { releaseClaim } from "./claim-store.ts";
import type { Session } from "./listen-connection.ts";
import type { ClaimedMessage, Settlement } from "./message-store.ts";
import { LostClaimError, receive } from "./message-store.ts";
import { createWakeSignal } from "./wake-signal.ts";

/** What a consumer works with. */
export interface ConsumerParts {
  readonly database: Database;
  readonly session: Session;
  readonly queue: QueueType;
}

const pauseAfterErrorMs = 250;
/** The session rings when there is something to do; this only bounds a timer. */
const longestWaitMs = 3_600_000;

/** Joins the consumers of a queue; see `EventBus.consume`. */
export async function startConsumer(
  o: ConsumeOptions,
  parts: ConsumerParts,
): Promise<RunningConsumer> {
  const bell = createWakeSignal();
  const removeHint = parts.session.onHint(parts.queue.name, bell.ring);
  const stop = new AbortController();
  const worker = createWorker(o, parts, stop.signal);
  const loop = async () => {
    while (!stop.signal.aborted) {
      // What it rang for until now is there to be claimed.
      bell.reset();
      const pauseMs = await worker.round();
      if (pauseMs > 0) await bell.wait(pauseMs, stop.signal);
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
   * Settles the last batch, claims one and handles it; answers how long to wait for something to do. Never throws.
   */
  round(): Promise<number>;
  healthy(): boolean;
  leave(): Promise<void>;
}

function createWorker(o: ConsumeOptions, parts: ConsumerParts, stop: AbortSignal): Worker {
  const { database, queue, session } = parts;
  const consumer = randomUUID();
  let healthy = true;
  // Handled, and to be settled with the next claim.
  let settlement: Settlement | undefined;
  // Messages may be claimed in our name that we do not have in hand.
  let isClaimUnknown = false;

  async function round(): Promise<number> {
    try {
      await release();
      const instance = session.instance();
      if (instance === undefined && settlement === undefined) return pauseAfterErrorMs;
      const { messages, dueInMs } = await claim(instance);
      healthy = true;
      if (stop.aborted) return 0;
      if (messages.length === 0) return Math.min(dueInMs ?? longestWaitMs, longestWaitMs);
      const steps = await decide(messages);
      settlement = { messages, steps };
      isClaimUnknown = false;
      return 0;
    } catch (error) {
      healthy = error instanceof LostClaimError;
      o.log.warn("bus.consume_failed", { consumer: o.name, queue: queue.name, error });
      return healthy ? 0 : pauseAfterErrorMs;
    }
  }

  async function claim(instance: number | undefined) {
    const settling = settlement;
    settlement = undefined;
    isClaimUnknown = true;
    const maxMessages = instance === undefined || stop.aborted ? 0 : (o.maxBatch ?? 1);
    const step = { queue, consumer, instance: instance ?? 0, maxMessages, settlement: settling };
    const received = await receive(database, step);
    isClaimUnknown = received.messages.length > 0;
    return received;
  }

  async function decide(messages: readonly ClaimedMessage[]): Promise<readonly Step[]> {
    const [first] = messages;
    // It is alone then.
    if (first !== undefined && first.deliveries > queue.deliveryLimit) return [giveUp(first)];
    const batch = messages.map(({ raw }) => raw);
    return await handleBatch(queue, batch, o, () => stop.aborted);
  }

  function giveUp({ raw }: ClaimedMessage): Step {
    const reason = "too many deliveries ended without an outcome";
    const step = nextStep(queue, raw.attempt, { kind: "dead-letter", reason });
    o.log.warn("bus.gave_up", { queue: queue.name, consumer: o.name, messageId: idOf(raw) });
    o.onHandled?.(step.kind === "remove" ? "drop" : "dead-letter", undefined);
    return step;
  }

  async function release(): Promise<void> {
    if (!isClaimUnknown) return;
    await releaseClaim(database, consumer);
    isClaimUnknown = false;
  }

  return {
    round,
    healthy: () => healthy,
    async leave() {
      try {
        if (settlement !== undefined) await claim(undefined);
        await release();
      } catch (error) {
        // The others take it away once this bus is gone.
        o.log.warn("bus.leave_failed", { consumer: o.name, error });
      }
    },
  };
}
