import { randomUUID } from "node:crypto";
import type { QueueType } from "@smartcart/contract";
import { createWakeSignal } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { idOf } from "../message.ts";
import type { Step } from "../message-processor.ts";
import { handleBatch, nextStep } from "../message-processor.ts";
import type { ConsumeOptions, RunningConsumer } from "../types.ts";
import { releaseClaim } from "./claim-store.ts";
import type { Session } from "./listen-connection.ts";
import type { ClaimedMessage, Settlement } from "./message-store.ts";
import { LostClaimError, receive } from "./message-store.ts";

/** What a consumer works with. */
export interface ConsumerParts {
  readonly database: Database;
  readonly session: Session;
  readonly queue: QueueType;
}

const pauseAfterErrorMs = 250;

/** Joins the consumers of a queue; see `EventBus.consume`. */
export async function startConsumer(
  o: ConsumeOptions,
  parts: ConsumerParts,
): Promise<RunningConsumer> {
  const wake = createWakeSignal();
  const removeHint = parts.session.onHint(parts.queue.name, wake.notify);
  const stop = new AbortController();
  const worker = createWorker(o, parts, stop.signal);
  const loop = async () => {
    while (!stop.signal.aborted) {
      // What it rang for until now is there to be claimed.
      wake.reset();
      const pauseMs = await worker.round();
      if (pauseMs > 0) await wake.wait(stop.signal, pauseMs);
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
  const { queue, session } = parts;
  const claims = createClaims(parts);
  let healthy = true;

  async function round(): Promise<number> {
    try {
      await claims.release();
      const instance = session.instance();
      if (instance === undefined && !claims.hasUnsettled()) return pauseAfterErrorMs;
      const maxMessages = instance === undefined || stop.aborted ? 0 : (o.maxBatch ?? 1);
      const { messages, dueInMs } = await claims.next(instance ?? 0, maxMessages);
      healthy = true;
      if (stop.aborted) return 0;
      if (messages.length === 0) return dueInMs ?? Number.POSITIVE_INFINITY;
      claims.handled({ messages, steps: await decide(queue, messages, o, stop) });
      return 0;
    } catch (error) {
      healthy = error instanceof LostClaimError;
      o.log.warn("bus.consume_failed", { consumer: o.name, queue: queue.name, error });
      return healthy ? 0 : pauseAfterErrorMs;
    }
  }

  return {
    round,
    healthy: () => healthy,
    async leave() {
      try {
        if (claims.hasUnsettled()) await claims.next(0, 0);
        await claims.release();
      } catch (error) {
        // The others take it away once this bus is gone.
        o.log.warn("bus.leave_failed", { consumer: o.name, error });
      }
    },
  };
}

/** What one consumer has claimed. */
interface Claims {
  /** Settles what was handled last and claims up to `maxMessages`, in one statement. */
  next(instance: number, maxMessages: number): ReturnType<typeof receive>;
  /** To be settled with the next claim. */
  handled(settlement: Settlement): void;
  hasUnsettled(): boolean;
  /** Gives back what may be claimed in our name without being in hand. */
  release(): Promise<void>;
}

function createClaims({ database, queue }: ConsumerParts): Claims {
  const consumer = randomUUID();
  let unsettled: Settlement | undefined;
  // Messages may be claimed in our name that we do not have in hand.
  let isClaimUnknown = false;
  return {
    async next(instance, maxMessages) {
      const settlement = unsettled;
      unsettled = undefined;
      isClaimUnknown = true;
      const received = await receive(database, {
        queue,
        consumer,
        instance,
        maxMessages,
        settlement,
      });
      isClaimUnknown = received.messages.length > 0;
      return received;
    },
    handled(settlement) {
      unsettled = settlement;
      isClaimUnknown = false;
    },
    hasUnsettled: () => unsettled !== undefined,
    async release() {
      if (!isClaimUnknown) return;
      await releaseClaim(database, consumer);
      isClaimUnknown = false;
    },
  };
}

async function decide(
  queue: QueueType,
  messages: readonly ClaimedMessage[],
  o: ConsumeOptions,
  stop: AbortSignal,
): Promise<readonly Step[]> {
  const [first] = messages;
  // It is alone then.
  if (first !== undefined && first.deliveries > queue.deliveryLimit)
    return [giveUp(queue, first, o)];
  const batch = messages.map(({ raw }) => raw);
  return await handleBatch(queue, batch, o, () => stop.aborted);
}

function giveUp(queue: QueueType, { raw }: ClaimedMessage, o: ConsumeOptions): Step {
  const reason = "given up: too many deliveries ended without an answer";
  const step = nextStep(queue, raw.attempt, { kind: "dead-letter", reason });
  o.log.warn("bus.gave_up", { queue: queue.name, consumer: o.name, messageId: idOf(raw) });
  o.onHandled?.(step.kind === "remove" ? "drop" : "dead-letter", undefined);
  return step;
}
