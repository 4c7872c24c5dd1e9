import type { Database, Queryable } from "@smartcart/store";
import { queryableOn } from "@smartcart/store";

/** A connection that holds a session lock and receives notifications. */
export interface LockedSession<L> {
  /** What `lock` answered. */
  readonly lock: L;
  /** Statements on the connection: they fail once it is lost, and the lock with it. */
  readonly db: Queryable;
  /** Resolves when the connection is lost. */
  readonly lost: Promise<void>;
  isLost(): boolean;
  /** Closes the connection instead of returning it to the pool, so that no lock or setting stays on it. Idempotent. */
  close(): void;
}

/** What a session is locked with. */
interface LockOptions<L> {
  /** Takes a session-level advisory lock; returns undefined where another session has it. */
  readonly lock: (session: Queryable) => Promise<L | undefined>;
  /** The server ends the session after so long without a statement, in milliseconds: the lease of the lock. */
  readonly leaseMs: number;
  /** The channel to listen to. */
  readonly channel: string;
  readonly onNotification: (payload: string) => void;
}

/**
 * Takes a connection out of the pool and locks it; undefined where the lock is taken. A process that dies loses the lock with its
 * connection, one that hangs loses it after `leaseMs`, and nothing is written for it.
 */
export async function lockSession<L>(
  database: Database,
  o: LockOptions<L>,
): Promise<LockedSession<L> | undefined> {
  const client = await database.connect();
  const lost = Promise.withResolvers<void>();
  let isLost = false;
  const lose = () => {
    isLost = true;
    lost.resolve();
  };
  let isClosed = false;
  const close = () => {
    if (!isClosed) client.release(true);
    isClosed = true;
  };
  client.once("error", lose).once("end", lose);
  try {
    const db = queryableOn(client);
    const lock = await o.lock(db);
    if (lock === undefined) {
      client.off("error", lose).off("end", lose).release();
      return undefined;
    }
    client.on("notification", ({ payload }) => o.onNotification(payload ?? ""));
    // Without keepalives PostgreSQL notices a machine that lost its network after two hours only, and keeps its lock.
    await client.query(
      `set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
       set idle_session_timeout = ${Math.ceil(o.leaseMs)}; listen ${o.channel}`,
    );
    return { lock, db, lost: lost.promise, isLost: () => isLost, close };
  } catch (error) {
    close();
    throw error;
  }
}
