import type { Logger } from "@smartcart/runtime";
import { createSubscriptions, delay, timedOut, withTimeout } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import type { LockedSession } from "../session-lock.ts";
import { lockSession } from "../session-lock.ts";
import { lockInstance, look, releaseAbandoned } from "./claim-store.ts";
import { wakeChannel } from "./message-store.ts";

/** Called when there may be new messages; `afterLoss`: the connection was lost, and notifications may have been missed. */
type Wake = (afterLoss: boolean) => void;

/**
 * The one connection that a bus keeps. It receives notifications, polls for messages whose notification was missed, and holds the
 * lock by which other buses see that this one is alive. A lost connection is replaced by one with a new number, so that messages
 * claimed under the old number go back to the queue.
 */
export interface ListenConnection extends AsyncDisposable {
  /** The number under which messages are claimed; undefined while the connection is down. */
  instance(): number | undefined;
  /** Calls `wake` for each notification of the topic. Returns the function that ends it. */
  onNotify(topic: string, wake: Wake): () => void;
}

/** Pause between polls. An idle bus does nothing else. */
const lookEveryMs = 5_000;
/** The same while consumers of other buses process messages, and may die with them. */
const watchEveryMs = 1_000;
/** The server ends a session that does not poll for so long, and releases its lock: the lease of the messages it has claimed. */
const leaseMs = 20_000;

/** Resolves when connected. */
export async function openListenConnection(
  database: Database,
  log: Logger,
): Promise<ListenConnection> {
  const listenConnection = new SupervisedListenConnection(database, log);
  await listenConnection.open();
  return listenConnection;
}

class SupervisedListenConnection implements ListenConnection {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #listeners = createSubscriptions<Wake>();
  /** The connection while it is up; its lock is the number of the bus. */
  #session: LockedSession<number> | undefined;
  #supervising: Promise<void> | undefined;

  constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#log = log;
  }

  async open(): Promise<void> {
    this.#session = await this.#connect();
    this.#supervising = this.#supervise();
  }

  instance(): number | undefined {
    return this.#session?.lock;
  }

  onNotify(topic: string, wake: Wake): () => void {
    return this.#listeners.join(topic, wake);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#supervising;
    this.#session?.close();
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.#session !== undefined) await this.#watch(this.#session);
      if (signal.aborted) return;
      this.#session?.close();
      this.#session = undefined;
      this.#log.warn("bus.listen_connection_lost");
      this.#session = await this.#reconnect();
      if (this.#session !== undefined) this.#log.info("bus.listen_connection_restored");
      for (const topic of this.#listeners.topics()) this.#wake(topic, true);
    }
  }

  /** Polls until the connection is lost or the bus is disposed. */
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

/** Returns the messages that dead consumers had claimed to their queues. */
export async function giveBackAbandoned(db: Queryable, log: Logger): Promise<void> {
  for (const { queue, consumer, messages } of await releaseAbandoned(db)) {
    log.warn("bus.consumer_died", { queue, consumer, messages });
  }
}
