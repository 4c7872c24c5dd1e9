import { randomUUID } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import type { AsyncMessage, Channel, Connection } from "rabbitmq-client";
import { eventTypeOf } from "../contract.ts";
import type { RunningConsumer, SubscribeOptions } from "../types.ts";
import { toRaw } from "./amqp-message.ts";
import { attach } from "./attachment.ts";
import { eventsExchange } from "./topology.ts";

/**
 * Hears every event of a type by a queue of its own, which the broker deletes with the connection.
 */
export async function startSubscriber<D extends DescMessage>(
  desc: D,
  o: SubscribeOptions<D>,
  connection: Connection,
): Promise<RunningConsumer> {
  const inbox = createInbox(desc, o);
  return await attach({
    connection,
    name: o.name,
    log: o.log,
    async setUp(channel) {
      await listen(channel, { desc, name: o.name, onMessage: inbox.add });
    },
    // The old queue is gone with the old connection; what was published until the new one stood is
    // lost to it.
    onRestored: o.onGap,
    async windDown() {
      inbox.close();
    },
  });
}

async function listen(
  channel: Channel,
  o: { desc: DescMessage; name: string; onMessage: (message: AsyncMessage) => void },
): Promise<void> {
  const queue = `${o.name}.${randomUUID()}`;
  await channel.queueDeclare({ queue, exclusive: true, autoDelete: true });
  const routingKey = eventTypeOf(o.desc).pattern;
  await channel.queueBind({ exchange: eventsExchange, queue, routingKey });
  await channel.basicConsume({ queue, exclusive: true, noAck: true }, o.onMessage);
}

/** Hands over together what arrives together. */
function createInbox<D extends DescMessage>(
  desc: D,
  o: SubscribeOptions<D>,
): { add(message: AsyncMessage): void; close(): void } {
  let arrived: MessageShape<D>[] = [];
  let closed = false;
  const flush = () => {
    const events = arrived;
    arrived = [];
    if (!closed && events.length > 0) o.onEvents(events);
  };
  return {
    add(message) {
      const raw = toRaw(message);
      if (raw.type !== "" && raw.type !== desc.typeName) return;
      try {
        const event = fromBinary(desc, raw.body);
        if (arrived.push(event) === 1) setImmediate(flush);
      } catch (error) {
        // Nobody can answer for it here: a fan-out has no dead letters.
        o.log.warn("bus.undecodable_event", { consumer: o.name, messageId: raw.id, error });
      }
    },
    close() {
      flush();
      closed = true;
    },
  };
}
