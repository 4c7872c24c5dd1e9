/** Listing, redriving and deleting dead letters, in small batches, so that the caller sees progress and can stop. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { DeadLetter, DeadLetters, EventBus } from "@smartcart/bus";
import { decodeDeadLetter } from "@smartcart/bus";
import { queueTypes } from "@smartcart/contract";
import type { DeadLetter as DeadLetterMessage } from "@smartcart/gen/ops/v1/dead_letter_pb";
import { DeadLetterSchema } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { DeadLetterSelection } from "@smartcart/gen/ops/v1/ops_service_pb";
import { delay } from "@smartcart/runtime";
import { queueNotFound } from "./errors.ts";

type DeadLetterInit = MessageInitShape<typeof DeadLetterSchema>;

/** How far an action is. `total` is what was there when it began; messages that have gone meanwhile leave `done` below it. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** Selected dead letters. */
export type Selection = Pick<DeadLetterSelection, "queue" | "messageIds">;

/** Works on one queue in turns of at most 25 messages. Throws QUEUE_NOT_FOUND for a queue that keeps no dead letters. */
export interface DeadLetterActions {
  /** Newest first. Empty: all queues, any order. Of each queue, only the 5,000 oldest dead letters are searched. */
  list(o: { queue: string; orderId: string; limit: number }): Promise<DeadLetterInit[]>;
  /** How many there are, by queue. */
  counts(): Promise<{ queue: string; deadLetters: bigint }[]>;
  /** Puts them back; stops after the few at hand when the signal fires. `limit` 0: no bound. */
  redrive(
    selection: Selection,
    o: { maxPerSecond: number; limit: number; signal: AbortSignal },
  ): AsyncGenerator<Progress>;
  /** Deletes them; stops likewise. */
  drop(selection: Selection, signal: AbortSignal): AsyncGenerator<Progress>;
  /** Moves them into the archive; stops likewise. */
  archive(selection: Selection, signal: AbortSignal): AsyncGenerator<Progress>;
  /** One of a queue; undefined where it is not there. */
  find(queue: string, messageId: string): Promise<WholeDeadLetter | undefined>;
}

const maxRead = 5_000;
const maxChunk = 25;
const maxReason = 4_096;
const maxAttributes = 16_384;

/** How the dead letters of a selection are moved. */
interface Plan {
  /** Dead letters between two progress messages. */
  readonly chunk: number;
  readonly pauseMs: number;
  /** 0: no bound. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Moves at most `limit` dead letters; returns how many. */
  move(deadLetters: DeadLetters, ids: readonly string[] | "all", limit: number): Promise<number>;
}

/** A dead letter as operators see it, and its body as it came in, which they do not. */
export interface WholeDeadLetter {
  readonly deadLetter: DeadLetterMessage;
  readonly body: Uint8Array;
}

/** Keeps dead letters. Safe to repeat. */
export type Archive = (deadLetters: readonly WholeDeadLetter[]) => Promise<void>;

/** `archive` is called before a dead letter is removed from its queue, so it may get the same one twice. */
export function createDeadLetterActions(bus: EventBus, archive: Archive): DeadLetterActions {
  return new Actions(bus, archive);
}

class Actions implements DeadLetterActions {
  readonly #bus: EventBus;
  readonly #queues = [...queueTypes.values()]
    .filter((one) => one.deadLetter)
    .map(({ name }) => name);
  // RabbitMQ delivers a message to one reader at a time: a concurrent reader would see an empty queue and end too early.
  readonly #turns = new Map<string, Promise<unknown>>();

  readonly #archive: Archive;

  constructor(bus: EventBus, archive: Archive) {
    this.#bus = bus;
    this.#archive = archive;
  }

  async list(o: { queue: string; orderId: string; limit: number }): Promise<DeadLetterInit[]> {
    const { queue, orderId, limit } = o;
    const wanted = queue === "" ? this.#queues : [this.#named(queue)];
    const all: DeadLetterInit[] = [];
    for (const name of wanted) {
      const deadLetters = await this.#inTurn(name, () =>
        this.#bus.deadLetters(name).list({ limit: maxRead }),
      );
      all.push(...latestFirst(deadLetters).map((deadLetter) => describe(name, deadLetter)));
    }
    return all
      .filter((deadLetter) => orderId === "" || deadLetter.orderId === orderId)
      .slice(0, limit);
  }

  async counts(): Promise<{ queue: string; deadLetters: bigint }[]> {
    const counts = await Promise.all(
      this.#queues.map(async (queue) => ({
        queue,
        deadLetters: BigInt(await this.#count(queue)),
      })),
    );
    return counts.filter(({ deadLetters }) => deadLetters > 0n);
  }

  redrive(
    selection: Selection,
    { maxPerSecond, ...o }: { maxPerSecond: number; limit: number; signal: AbortSignal },
  ): AsyncGenerator<Progress> {
    return this.#work(selection, {
      ...o,
      pauseMs: 1_000 / maxPerSecond,
      // An answer about twice a second at least.
      chunk: Math.max(1, Math.min(maxChunk, Math.floor(maxPerSecond / 2))),
      move: (deadLetters, ids, most) => deadLetters.redrive(ids, { limit: most, maxPerSecond }),
    });
  }

  drop(selection: Selection, signal: AbortSignal): AsyncGenerator<Progress> {
    return this.#work(selection, {
      limit: 0,
      pauseMs: 0,
      signal,
      chunk: maxChunk,
      move: (deadLetters, ids, most) => deadLetters.drop(ids, { limit: most }),
    });
  }

  archive(selection: Selection, signal: AbortSignal): AsyncGenerator<Progress> {
    return this.#work(selection, {
      limit: 0,
      pauseMs: 0,
      signal,
      chunk: maxChunk,
      move: async (deadLetters, ids, most) => {
        const isAll = ids === "all";
        const there = await deadLetters.list({ limit: isAll ? most : maxRead });
        const chosen = isAll ? there.slice(0, most) : there.filter(({ id }) => ids.includes(id));
        // Archived first, then removed: after a crash in between it is in both places, and the next run archives it again.
        await this.#archive(chosen.map((deadLetter) => whole(selection.queue, deadLetter)));
        const moved = chosen.map(({ id }) => id);
        return moved.length === 0 ? 0 : deadLetters.drop(moved, { limit: most });
      },
    });
  }

  async find(queue: string, messageId: string): Promise<WholeDeadLetter | undefined> {
    const deadLetters = await this.#inTurn(this.#named(queue), () =>
      this.#bus.deadLetters(queue).list({ limit: maxRead }),
    );
    const deadLetter = deadLetters.find(({ id }) => id === messageId);
    return deadLetter && whole(queue, deadLetter);
  }

  async *#work({ queue, messageIds }: Selection, o: Plan): AsyncGenerator<Progress> {
    const deadLetters = this.#bus.deadLetters(this.#named(queue));
    const ids = [...new Set(messageIds)];
    const there = ids.length > 0 ? ids.length : await this.#count(queue);
    const total = o.limit > 0 ? Math.min(o.limit, there) : there;
    let done = 0;
    let asked = 0;
    yield { done, total };
    // Messages that have failed again in the meantime are not redriven a second time.
    while (asked < total) {
      // Within a few the queue keeps the rate itself.
      if (done > 0) await delay(o.pauseMs, o.signal).catch(() => {});
      if (o.signal.aborted) return;
      const size = Math.min(o.chunk, total - asked);
      const chunk = ids.length > 0 ? ids.slice(asked, asked + size) : "all";
      const moved = await this.#inTurn(queue, () => o.move(deadLetters, chunk, size));
      if (moved === 0 && chunk === "all") break;
      asked += size;
      done += moved;
      yield { done, total };
    }
  }

  #count(queue: string): Promise<number> {
    return this.#inTurn(queue, () => this.#bus.deadLetters(queue).count());
  }

  #inTurn<T>(queue: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#turns.get(queue) ?? Promise.resolve()).then(work);
    this.#turns.set(
      queue,
      done.catch(() => {}),
    );
    return done;
  }

  #named(queue: string): string {
    if (!this.#queues.includes(queue)) throw queueNotFound(queue, this.#queues);
    return queue;
  }
}

function latestFirst(deadLetters: readonly DeadLetter[]): DeadLetter[] {
  // They come oldest first; where the time is not known that is the only order there is.
  const at = ({ failedAt }: DeadLetter) => failedAt?.getTime() ?? 0;
  return deadLetters.toReversed().sort((one, other) => at(other) - at(one));
}

function whole(queue: string, deadLetter: DeadLetter): WholeDeadLetter {
  return {
    deadLetter: create(DeadLetterSchema, describe(queue, deadLetter)),
    body: deadLetter.body,
  };
}

function describe(queue: string, deadLetter: DeadLetter): DeadLetterInit {
  const decoded = decodeDeadLetter(deadLetter);
  return {
    queue,
    messageId: deadLetter.id,
    type: deadLetter.type,
    orderId: decoded.orderId,
    traceId: deadLetter.traceparent.split("-")[1] ?? "",
    attempts: deadLetter.attempt,
    reason: cut(decoded.reason, maxReason),
    messageJson: decoded.json === undefined ? "" : JSON.stringify(decoded.json),
    bodySize: BigInt(deadLetter.body.byteLength),
    attributesJson: cut(
      JSON.stringify({ properties: deadLetter.properties, headers: decoded.headers }),
      maxAttributes,
    ),
    ...(deadLetter.failedAt && { failedAt: timestampFromDate(deadLetter.failedAt) }),
  };
}

/** A large message of another publisher must not prevent the others from being listed. */
function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`.toWellFormed();
}
