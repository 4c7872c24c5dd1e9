import { randomUUID } from "node:crypto";
import type { QueueType } from "@smartcart/contract";
import { createWakeSignal } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { idOf } from "../message.ts";
import type { Step } from "../message-processor.ts";
import { handleBatch, nextStep } from "../message-processor.ts";
import type { ConsumeOptions, RunningConsumer } from "../types.ts";
import { releaseClaim } from "./claim-store.ts";
import type { ListenConnection } from "./listen-connection.ts";
import type { ClaimedMessage, Received, Settlement } from "./message-store.ts";
import { LostClaimError, receive } from "./message-store.ts";

/** What a consumer works with. */
interface ConsumerParts {
  readonly database: Database;
  readonly listenConnection: ListenConnection;
  readonly queue: QueueType;
}

const pauseAfterErrorMs = 250;

/** Joins the consumers of a queue; see `EventBus.consume`. */
export async function startConsumer(
  o: ConsumeOptions,
  parts: ConsumerParts,
): Promise<RunningConsumer> {
  const wake = createWakeSignal();
  const removeListener = parts.listenConnection.onNotify(parts.queue.name, wake.notify);
  const stop = new AbortController();
  const worker = new Worker(o, parts, stop.signal);
  const loop = async () => {
    while (!stop.signal.aborted) {
      // Messages notified until now can be claimed below.
      wake.reset();
      const pauseMs = await worker.round();
      if (pauseMs > 0) await wake.wait(stop.signal, pauseMs);
    }
    await worker.leave();
  };
  const looping = loop();
  return {
    ready: () =>
      !stop.signal.aborted && worker.healthy && parts.listenConnection.instance() !== undefined,
    async [Symbol.asyncDispose]() {
      stop.abort();
      removeListener();
      await looping;
    },
  };
}

class Worker {
  healthy = true;
  readonly #consumer = randomUUID();
  readonly #o: ConsumeOptions;
  readonly #parts: ConsumerParts;
  readonly #stop: AbortSignal;
  /** What was handled, to be settled with the next claim. */
  #handled: Settlement | undefined;
  /** Whether messages may be claimed for this consumer that it does not process: after an error, or a stop before it handled them. */
  #mayHoldMore = false;

  constructor(o: ConsumeOptions, parts: ConsumerParts, stop: AbortSignal) {
    this.#o = o;
    this.#parts = parts;
    this.#stop = stop;
  }

  /** Settles the last batch, claims one and handles it; returns the pause before the next round, in milliseconds. Never throws. */
  async round(): Promise<number> {
    const { queue, listenConnection } = this.#parts;
    try {
      await this.#release();
      const instance = listenConnection.instance();
      if (instance === undefined && this.#handled === undefined) return pauseAfterErrorMs;
      const isLast = instance === undefined || this.#stop.aborted;
      const { messages, dueInMs } = await this.#next(isLast ? 0 : (this.#o.maxBatch ?? 1));
      this.healthy = true;
      if (this.#stop.aborted) return 0;
      if (messages.length === 0) return dueInMs ?? Number.POSITIVE_INFINITY;
      this.#handled = { messages, steps: await decide(queue, messages, this.#o, this.#stop) };
      this.#mayHoldMore = false;
      return 0;
    } catch (error) {
      this.healthy = error instanceof LostClaimError;
      this.#o.log.warn("bus.consume_failed", { consumer: this.#o.name, queue: queue.name, error });
      return this.healthy ? 0 : pauseAfterErrorMs;
    }
  }

  async leave(): Promise<void> {
    try {
      if (this.#handled !== undefined) await this.#next(0);
      await this.#release();
    } catch (error) {
      // Other buses release the claim once this one has ended.
      this.#o.log.warn("bus.leave_failed", { consumer: this.#o.name, error });
    }
  }

  /** Settles what was handled and claims up to `maxMessages`, in one statement. */
  async #next(maxMessages: number): Promise<Received> {
    const { database, queue, listenConnection } = this.#parts;
    const settlement = this.#handled;
    this.#handled = undefined;
    this.#mayHoldMore = true;
    const instance = listenConnection.instance() ?? 0;
    const consumer = this.#consumer;
    const received = await receive(database, {
      queue,
      consumer,
      instance,
      maxMessages,
      settlement,
    });
    this.#mayHoldMore = received.messages.length > 0;
    return received;
  }

  async #release(): Promise<void> {
    if (!this.#mayHoldMore) return;
    await releaseClaim(this.#parts.database, this.#consumer);
    this.#mayHoldMore = false;
  }
}

async function decide(
  queue: QueueType,
  messages: readonly ClaimedMessage[],
  o: ConsumeOptions,
  stop: AbortSignal,
): Promise<readonly Step[]> {
  const [first] = messages;
  // A message with deliveries is claimed alone.
  if (first !== undefined && first.deliveries > queue.deliveryLimit)
    return [giveUp(queue, first, o)];
  const batch = messages.map(({ raw }) => raw);
  return await handleBatch(queue, batch, o, () => stop.aborted);
}

function giveUp(queue: QueueType, { raw }: ClaimedMessage, o: ConsumeOptions): Step {
  const reason = "too many deliveries ended without an outcome";
  const step = nextStep(queue, raw.attempt, { kind: "dead-letter", reason });
  o.log.warn("bus.gave_up", { queue: queue.name, consumer: o.name, messageId: idOf(raw) });
  o.onHandled?.(step.kind === "remove" ? "drop" : "dead-letter", undefined);
  return step;
}
