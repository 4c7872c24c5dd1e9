import type { Database, Queryable } from "@smartcart/store";
import { outboxChannel } from "./outbox.ts";

/** The right to relay an outbox. Disposing gives it back. */
export interface RelayTurn extends AsyncDisposable {
  /** The connection that holds the right: when it is lost, so is the right, and its statements fail. */
  readonly db: Queryable;
  /** Whether the connection is gone. */
  isLost(): boolean;
}

/**
 * Takes the turn of this outbox unless another relay has it: an advisory lock of a session, with nothing written. A relay that dies
 * loses it with its connection; one that hangs loses it after `leaseMs`, since the server ends an idle session then. While it is held,
 * `onWritten` is called at each `outboxWritten` of another process.
 */
export async function takeRelayTurn(
  database: Database,
  leaseMs: number,
  onWritten: () => void,
): Promise<RelayTurn | undefined> {
  const client = await database.connect();
  let isLost = false;
  const lose = () => {
    isLost = true;
  };
  client.once("error", lose).once("end", lose);
  try {
    const { rows } = await client.query<{ taken: boolean }>(
      "select pg_try_advisory_lock(hashtext('smartcart.outbox'), hashtext(current_schema())) as taken",
    );
    if (!rows[0]?.taken) {
      client.off("error", lose).off("end", lose).release();
      return undefined;
    }
    await client.query(`set idle_session_timeout = ${Math.ceil(leaseMs)}; listen ${outboxChannel}`);
    client.on("notification", ({ payload }) => {
      if (payload === database.schema) onWritten();
    });
  } catch (error) {
    client.release(true);
    throw error;
  }
  return {
    db: {
      async query(statement) {
        const { rows, rowCount } = await client.query(statement as never);
        return { rows, rowCount: rowCount ?? 0 };
      },
    },
    isLost: () => isLost,
    async [Symbol.asyncDispose]() {
      // The connection is closed: a lock or a setting that stayed behind would go to whoever gets it next.
      client.release(true);
    },
  };
}
