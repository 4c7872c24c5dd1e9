import type { Logger } from "@smartcart/runtime";
import { createSubscriptions, delay, timedOut, withTimeout } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import type { LockedSession } from "../session-lock.ts";
import { lockSession } from "../session-lock.ts";
import { lockInstance, look, releaseAbandoned } from "./claim-store.ts";
import { wakeChannel } from "./message-store.ts";

/** Called where there may be something new; `afterLoss` where the connection was lost, and hints with it. */
export type Wake = (afterLoss: boolean) => void;

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

/** The connection while it is up; its lock is the number of the bus. */
type Line = LockedSession<number> | undefined;

/** Resolves when connected. */
export async function openSession(database: Database, log: Logger): Promise<Session> {
  const stop = new AbortController();
  const listeners = createSubscriptions<Wake>();
  const wake = (topic: string, afterLoss: boolean) => {
    for (const one of listeners.members(topic)) one(afterLoss);
  };
  const connect = () =>
    lockSession(database, {
      lock: lockInstance,
      leaseMs,
      channel: wakeChannel,
      onNotification: (topic) => wake(topic, false),
    });
  let line: Line = await connect();

  async function reconnect(): Promise<Line> {
    for (let pauseMs = 100; !stop.signal.aborted; pauseMs = Math.min(2_000, pauseMs * 2)) {
      try {
        return await connect();
      } catch {
        await delay(pauseMs, stop.signal).catch(() => {});
      }
    }
    return undefined;
  }

  /** Looks from time to time, until the connection is lost or the session ends. */
  async function watch(held: LockedSession<number>): Promise<void> {
    for (let pauseMs = lookEveryMs; ; ) {
      const isLost = held.lost.then(() => true);
      const isOver = await withTimeout(isLost, pauseMs, () => false, stop.signal);
      if (isOver || stop.signal.aborted) return;
      try {
        const looking = look(held.db, { instance: held.lock, topics: [...listeners.topics()] });
        const seen = await withTimeout(looking, lookEveryMs, timedOut("no answer", lookEveryMs));
        for (const topic of seen.topics) wake(topic, false);
        pauseMs = seen.othersAtWork ? watchEveryMs : lookEveryMs;
        if (seen.othersAtWork) await giveBackAbandoned(held.db, log);
      } catch {
        return;
      }
    }
  }

  async function keep(): Promise<void> {
    while (!stop.signal.aborted) {
      if (line !== undefined) await watch(line);
      if (stop.signal.aborted) return;
      line?.close();
      line = undefined;
      log.warn("bus.session_lost");
      line = await reconnect();
      if (line !== undefined) log.info("bus.session_restored");
      for (const topic of listeners.topics()) wake(topic, true);
    }
  }
  const keeping = keep();

  return {
    instance: () => line?.lock,
    onHint: listeners.join,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await keeping;
      line?.close();
    },
  };
}

/** Gives back what dead consumers had in hand. */
export async function giveBackAbandoned(db: Queryable, log: Logger): Promise<void> {
  for (const { queue, consumer, messages } of await releaseAbandoned(db)) {
    log.warn("bus.consumer_died", { queue, consumer, messages });
  }
}
