import type { QueueType } from "@smartcart/contract";
import { StartError } from "@smartcart/runtime";
import type { RawConnection } from "./raw-connection.ts";

/**
 * Claims a queue for the consumers of one database: those of another one would take messages about orders that they do not have. The
 * claim is an exchange without messages whose alternate exchange names the database. The broker rejects a second declaration with
 * another alternate exchange, so that only one installation succeeds.
 *
 * @param owner Identifies the database.
 * @throws StartError where another database has claimed the queue.
 */
export async function claimQueue(
  connection: RawConnection,
  queue: QueueType,
  owner: string,
): Promise<void> {
  const exchange = `smartcart.owner.${queue.name}`;
  const channel = await connection.acquire({ emitErrorsFromChannel: true });
  channel.on("error", () => {});
  try {
    const alternate = { "alternate-exchange": `smartcart.database.${owner}` };
    await channel.exchangeDeclare({
      exchange,
      type: "fanout",
      durable: true,
      internal: true,
      arguments: alternate,
    });
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "PRECONDITION_FAILED") throw cause;
    throw new StartError(
      `The queue "${queue.name}" on this virtual host belongs to a SmartCart with another database. Set AMQP_URL to a virtual host of its own. If this database replaces the other one, delete the exchange "${exchange}" first.`,
      { variable: "AMQP_URL", cause },
    );
  } finally {
    await channel.close();
  }
}
