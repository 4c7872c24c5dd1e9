import type { Logger } from "@smartcart/runtime";
import { delay } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { withTimeout } from "../with-timeout.ts";
import { lockInstance } from "./queue-store.ts";

/** The channel of hints. */
export const hintChannel = "smartcart_queue";

/**
 * The one connection that a bus keeps: it hears the hints, and the lock that it holds tells the
 * others that the bus lives. It is made anew when it is lost; a new one has a new number, so what
 * was claimed under the old one goes back to the queue.
 */
export interface Session extends AsyncDisposable {
  /** The number under which jobs are claimed; undefined while the connection is down. */
  instance(): number | undefined;
  /**
   * Calls `wake` at each hint for the topic, and whenever hints may have been missed. Answers how
   * to stop that.
   */
  onHint(topic: string, wake: () => void): () => void;
}

const beatMs = 5_000;

/** Resolves when connected. */
export async function openSession(database: Database, log: Logger): Promise<Session> {
  const stop = new AbortController();
  const listeners = new Map<string, Set<() => void>>();
  const wakeAll = () => {
    for (const topic of listeners.keys()) wakeTopic(topic);
  };
  const wakeTopic = (topic: string) => {
    for (const wake of listeners.get(topic) ?? []) wake();
  };
  let line: Line | undefined = await connect(database, wakeTopic);

  const keep = async () => {
    while (!stop.signal.aborted) {
      const lost = line === undefined || (await line.lost(stop.signal));
      if (!lost || stop.signal.aborted) return;
      line = undefined;
      log.warn("bus.session_lost");
      line = await reconnect();
      if (line !== undefined) log.info("bus.session_restored");
      wakeAll();
    }
  };
  const reconnect = async () => {
    for (let pauseMs = 100; !stop.signal.aborted; pauseMs = Math.min(2_000, pauseMs * 2)) {
      try {
        return await connect(database, wakeTopic);
      } catch {
        await delay(pauseMs, stop.signal).catch(() => {});
      }
    }
    return undefined;
  };
  const keeping = keep();

  return {
    instance: () => line?.instance,
    onHint(topic, wake) {
      const wakes = listeners.get(topic) ?? new Set();
      listeners.set(topic, wakes.add(wake));
      return () => void wakes.delete(wake);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await keeping;
      line?.close();
    },
  };
}

interface Line {
  readonly instance: number;
  /** Resolves with true when the connection is lost, with false when the signal fires first. */
  lost(signal: AbortSignal): Promise<boolean>;
  close(): void;
}

async function connect(database: Database, onHint: (topic: string) => void): Promise<Line> {
  const client = await database.connect();
  const gone = Promise.withResolvers<true>();
  client.on("error", () => gone.resolve(true));
  client.on("end", () => gone.resolve(true));
  client.on("notification", ({ payload }) => onHint(payload ?? ""));
  let closed = false;
  const close = () => {
    if (!closed) client.release(true);
    closed = true;
  };
  try {
    // A machine that vanished without a word must not keep its lock for two hours.
    await client.query(
      "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3",
    );
    const instance = await lockInstance({
      query: async (statement) => {
        const { rows, rowCount } = await client.query(statement.text);
        return { rows, rowCount: rowCount ?? 0 };
      },
    });
    await client.query(`listen ${hintChannel}`);
    return {
      instance,
      close,
      async lost(signal) {
        while (!signal.aborted) {
          const beat = delay(beatMs, signal).then(
            () => false,
            () => false,
          );
          if (await Promise.race([gone.promise, beat])) break;
          if (signal.aborted) return false;
          const alive = await withTimeout(beatMs, "no answer", () => client.query("select 1")).then(
            () => true,
            () => false,
          );
          if (!alive) break;
        }
        if (signal.aborted) return false;
        close();
        return true;
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}
