import { randomUUID } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Channel, Connection } from "rabbitmq-client";
import { eventsExchange, eventTypeOf } from "@smartcart/contract";
import { createFanOutEnd } from "../fan-out.ts";
import type { RunningConsumer, SubscribeOptions } from "../types.ts";
import { toRaw } from "./amqp-message.ts";
import { attach } from "./channel-supervisor.ts";
import type { ReceivedMessage } from "./raw-connection.ts";
import { onMessage } from "./raw-connection.ts";

/**
 * Delivers every event of a type from a queue of its own, which the broker deletes with the connection.
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
      await listen(channel, { desc, name: o.name, receive: inbox.add });
    },
    // The old queue ended with its connection: events published before the new one was bound are missed.
    onRestored: o.onGap,
    async windDown() {
      inbox.close();
    },
  });
}

async function listen(
  channel: Channel,
  o: { desc: DescMessage; name: string; receive: (message: ReceivedMessage) => void },
): Promise<void> {
  const queue = `${o.name}.${randomUUID()}`;
  await channel.queueDeclare({ queue, exclusive: true, autoDelete: true });
  const routingKey = eventTypeOf(o.desc).pattern;
  await channel.queueBind({ exchange: eventsExchange, queue, routingKey });
  await channel.basicConsume({ queue, exclusive: true, noAck: true }, onMessage(o.receive));
}

/** Passes events that arrive together to the subscriber in one call. */
function createInbox<D extends DescMessage>(
  desc: D,
  o: SubscribeOptions<D>,
): { add(message: ReceivedMessage): void; close(): void } {
  let arrived: MessageShape<D>[] = [];
  let closed = false;
  const end = createFanOutEnd(desc, o);
  const flush = () => {
    const events = arrived;
    arrived = [];
    if (!closed && events.length > 0) end.deliver(events);
  };
  return {
    add(message) {
      const raw = toRaw(message);
      if (raw.type !== "" && raw.type !== desc.typeName) return;
      const event = end.read(raw);
      if (event !== undefined && arrived.push(event) === 1) setImmediate(flush);
    },
    close() {
      flush();
      closed = true;
    },
  };
}
