import type { Logger } from "@smartcart/runtime";
import { createSubscriptions, delay, timedOut, withTimeout } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { queryableOn } from "@smartcart/store";
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

/** Resolves when connected. */
export async function openSession(database: Database, log: Logger): Promise<Session> {
  const stop = new AbortController();
  const listeners = createSubscriptions<Wake>();
  const wake = (topic: string, afterLoss: boolean) => {
    for (const one of listeners.members(topic)) one(afterLoss);
  };
  const onHint = (topic: string) => wake(topic, false);
  let line: Line | undefined = await connect(database, onHint);

  async function reconnect(): Promise<Line | undefined> {
    for (let pauseMs = 100; !stop.signal.aborted; pauseMs = Math.min(2_000, pauseMs * 2)) {
      try {
        return await connect(database, onHint);
      } catch {
        await delay(pauseMs, stop.signal).catch(() => {});
      }
    }
    return undefined;
  }

  async function keep(): Promise<void> {
    while (!stop.signal.aborted) {
      await watch(
        line,
        { database, log, topics: () => [...listeners.topics()], onHint },
        stop.signal,
      );
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
    instance: () => line?.instance,
    onHint: listeners.join,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await keeping;
      line?.close();
    },
  };
}

interface WatchParts {
  readonly database: Database;
  readonly log: Logger;
  topics(): readonly string[];
  onHint(topic: string): void;
}

/** Looks from time to time, until the connection is lost or the signal fires. */
async function watch(
  line: Line | undefined,
  parts: WatchParts,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = lookEveryMs;
  while (line !== undefined && !signal.aborted) {
    const isLost = line.lost.then(() => true);
    if ((await withTimeout(isLost, pauseMs, () => false, signal)) || signal.aborted) return;
    try {
      const { instance, db } = line;
      const looking = look(db, { instance, topics: parts.topics() });
      const seen = await withTimeout(looking, lookEveryMs, timedOut("no answer", lookEveryMs));
      for (const topic of seen.topics) parts.onHint(topic);
      pauseMs = seen.othersAtWork ? watchEveryMs : lookEveryMs;
      if (seen.othersAtWork) await giveBackAbandoned(db, parts.log);
    } catch {
      return;
    }
  }
}

/** Gives back what dead consumers had in hand. */
export async function giveBackAbandoned(db: Queryable, log: Logger): Promise<void> {
  for (const { queue, consumer, messages } of await releaseAbandoned(db)) {
    log.warn("bus.consumer_died", { queue, consumer, messages });
  }
}

interface Line {
  readonly instance: number;
  readonly db: Queryable;
  /** Resolves when the connection is lost. */
  readonly lost: Promise<void>;
  close(): void;
}

async function connect(database: Database, onHint: (topic: string) => void): Promise<Line> {
  const client = await database.connect();
  const lost = Promise.withResolvers<void>();
  client.on("error", () => lost.resolve());
  client.on("end", () => lost.resolve());
  client.on("notification", ({ payload }) => onHint(payload ?? ""));
  let closed = false;
  const close = () => {
    if (!closed) client.release(true);
    closed = true;
  };
  try {
    const db = queryableOn(client);
    // A machine that vanished without a word must not keep its lock for two hours.
    await client.query(
      `set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
       set idle_session_timeout = ${leaseMs}`,
    );
    const instance = await lockInstance(db);
    await client.query(`listen ${wakeChannel}`);
    return { instance, db, lost: lost.promise, close };
  } catch (error) {
    close();
    throw error;
  }
}
