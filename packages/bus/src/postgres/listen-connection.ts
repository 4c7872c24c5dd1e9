import type { Logger } from "@smartcart/runtime";
import { createSubscriptions, delay, timedOut, withTimeout } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import type { LockedSession } from "../session-lock.ts";
import { lockSession } from "../session-lock.ts";
import { lockInstance, look, releaseAbandoned } from "./claim-store.ts";
import { wakeChannel } from "./message-store.ts";

/** Called where there may be something new; `afterLoss` where the connection was lost, and hints with it. */
type Wake = (afterLoss: boolean) => void;

/**
 * The one connection that a bus keeps: it hears the hints, looks for what no hint was heard of, and the lock that it holds tells
 * the others that the bus lives. It is made anew when it is lost; a new one has a new number, so what was claimed under the old
 * one goes back to the queue.
 */
export interface Session extends AsyncDisposable {
  /** The number under which messages are claimed; undefined while the connection is down. */
  instance(): number | undefined;
  /** Calls `wake` for each hint on the topic. Answers how to stop that. */
  onHint(topic: string, wake: Wake): () => void;
}

/** Pause between looks. An idle bus does nothing else. */
const lookEveryMs = 5_000;
/** The same while consumers of other buses have messages in hand, and may die with them. */
const watchEveryMs = 1_000;
/** The server ends a session that does not look for so long, and the lock goes: the lease of what its consumers have in hand. */
const leaseMs = 20_000;

/** Resolves when connected. */
export async function openSession(database: Database, log: Logger): Promise<Session> {
  const session = new KeptSession(database, log);
  await session.open();
  return session;
}

class KeptSession implements Session {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #listeners = createSubscriptions<Wake>();
  /** The connection while it is up; its lock is the number of the bus. */
  #line: LockedSession<number> | undefined;
  #keeping: Promise<void> | undefined;

  constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#log = log;
  }

  async open(): Promise<void> {
    this.#line = await this.#connect();
    this.#keeping = this.#keep();
  }

  instance(): number | undefined {
    return this.#line?.lock;
  }

  onHint(topic: string, wake: Wake): () => void {
    return this.#listeners.join(topic, wake);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#keeping;
    this.#line?.close();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.#line !== undefined) await this.#watch(this.#line);
      if (signal.aborted) return;
      this.#line?.close();
      this.#line = undefined;
      this.#log.warn("bus.session_lost");
      this.#line = await this.#reconnect();
      if (this.#line !== undefined) this.#log.info("bus.session_restored");
      for (const topic of this.#listeners.topics()) this.#wake(topic, true);
    }
  }

  /** Looks from time to time, until the connection is lost or the session ends. */
  async #watch({ db, lock: instance, lost }: LockedSession<number>): Promise<void> {
    const isLost = lost.then(() => true);
    const { signal } = this.#stop;
    for (let pauseMs = lookEveryMs; ; ) {
      if ((await withTimeout(isLost, pauseMs, () => false, signal)) || signal.aborted) return;
      try {
        const looking = look(db, { instance, topics: [...this.#listeners.topics()] });
        const seen = await withTimeout(looking, lookEveryMs, timedOut("no answer", lookEveryMs));
        for (const topic of seen.topics) this.#wake(topic, false);
        pauseMs = seen.othersAtWork ? watchEveryMs : lookEveryMs;
        if (seen.othersAtWork) await giveBackAbandoned(db, this.#log);
      } catch {
        return;
      }
    }
  }

  async #reconnect(): Promise<LockedSession<number> | undefined> {
    const { signal } = this.#stop;
    for (let pauseMs = 100; !signal.aborted; pauseMs = Math.min(2_000, pauseMs * 2)) {
      try {
        return await this.#connect();
      } catch {
        await delay(pauseMs, signal).catch(() => {});
      }
    }
    return undefined;
  }

  #connect(): Promise<LockedSession<number> | undefined> {
    return lockSession(this.#database, {
      lock: lockInstance,
      leaseMs,
      channel: wakeChannel,
      onNotification: (topic) => this.#wake(topic, false),
    });
  }

  #wake(topic: string, afterLoss: boolean): void {
    for (const wake of this.#listeners.members(topic)) wake(afterLoss);
  }
}

/** Gives back what dead consumers had in hand. */
export async function giveBackAbandoned(db: Queryable, log: Logger): Promise<void> {
  for (const { queue, consumer, messages } of await releaseAbandoned(db)) {
    log.warn("bus.consumer_died", { queue, consumer, messages });
  }
}
