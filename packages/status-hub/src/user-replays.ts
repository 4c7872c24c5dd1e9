import type { Logger } from "@smartcart/runtime";
import { delay } from "@smartcart/runtime";
import type { HubClient } from "./client.ts";
import { maxFailures } from "./sequencer.ts";
import { resyncFrame } from "./server-frames.ts";

interface UserReplaysOptions {
  readonly log: Logger;
  /** Pause after the first reading that failed, in milliseconds; it doubles with each further one. */
  readonly retryPauseMs: number;
  /** Called after a client was sent an error, because a user's orders cannot be read. */
  readonly onResync: () => void;
  readonly isConnected: (client: HubClient) => boolean;
}

/** Brings clients up to date with the orders of a user. */
export interface UserReplays {
  /** Replays the user's newest orders, the oldest first. A later replay of the same user to the same client takes over. */
  start(client: HubClient, userId: string): Promise<void>;
}

/** No replay is under way. */
export function createUserReplays(o: UserReplaysOptions): UserReplays {
  return {
    async start(client, userId) {
      const mine = {};
      client.users.set(userId, mine);
      const isWanted = () => o.isConnected(client) && client.users.get(userId) === mine;
      for (let failures = 1; failures <= maxFailures; failures++) {
        try {
          return await replay(client, userId, isWanted);
        } catch (error) {
          o.log.warn("status.replay_failed", { failures, error });
        }
        await delay(o.retryPauseMs * 2 ** (failures - 1));
        if (!isWanted()) return;
      }
      o.onResync();
      const reason = `the orders of user ${userId} cannot be read just now; read them by REST and subscribe again`;
      client.send(resyncFrame("", 0, reason));
    },
  };
}

async function replay(client: HubClient, userId: string, isWanted: () => boolean): Promise<void> {
  const orders = await client.history.newestOrders(userId, isWanted);
  if (!isWanted()) return;
  let turn = Promise.resolve();
  for (const { orderId, lastSequence } of orders) {
    if (client.last(orderId) < lastSequence) turn = client.refill(orderId, { turn });
  }
}
