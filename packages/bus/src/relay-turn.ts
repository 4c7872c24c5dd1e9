import type { Database, Queryable } from "@smartcart/store";
import { queryableOn } from "@smartcart/store";
import { outboxChannel } from "./outbox.ts";

/** The right to relay an outbox. Disposing gives it back. */
export interface RelayTurn extends AsyncDisposable {
  /** The connection that holds the right: when it is lost, so is the right, and its statements fail. */
  readonly db: Queryable;
  /** Whether the connection is gone. */
  isLost(): boolean;
}

/** How often a relay asks for the turn while another one has it, in milliseconds. */
export const standbyMs = 500;

/** The turn of one relay: taken when it is free, and taken anew when it was lost. Disposing gives it back. */
export class TurnHolder implements AsyncDisposable {
  /** The turn as it was taken last; it may be lost by now. */
  held: RelayTurn | undefined;
  readonly #take: () => Promise<RelayTurn | undefined>;
  #standbyUntil = 0;

  /** The parameters are those of `takeRelayTurn`. */
  constructor(...o: Parameters<typeof takeRelayTurn>) {
    this.#take = () => takeRelayTurn(...o);
  }

  /** The turn; undefined while another relay has it. Asks for it every `standbyMs` at most. */
  async take(): Promise<RelayTurn | undefined> {
    if (this.held?.isLost()) await this[Symbol.asyncDispose]();
    if (this.held !== undefined || performance.now() < this.#standbyUntil) return this.held;
    this.held = await this.#take();
    if (this.held === undefined) this.#standbyUntil = performance.now() + standbyMs;
    return this.held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.held?.[Symbol.asyncDispose]();
    this.held = undefined;
  }
}

/**
 * Takes the turn of this outbox unless another relay has it: an advisory lock of a session, with nothing written. A relay that dies
 * loses it with its connection; one that hangs loses it after `leaseMs`, since the server ends an idle session then. While it is held,
 * `onWritten` is called at each `outboxWritten` of another process.
 */
async function takeRelayTurn(
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
    db: queryableOn(client),
    isLost: () => isLost,
    async [Symbol.asyncDispose]() {
      // The connection is closed: a lock or a setting that stayed behind would go to whoever gets it next.
      client.release(true);
    },
  };
}
