/** An administrator's actions on the broker, of which some are faults: copies of messages, poison messages, deleted queues. */

import type { AsyncMessage, Channel } from "rabbitmq-client";
import { Connection } from "rabbitmq-client";
import { delay, timedOut, withTimeout } from "@smartcart/runtime";
import { closeConnections, messageIds, queueNames, vhostOf } from "./broker-http.ts";
import type { BrokerEngine } from "./infrastructure.ts";

/** Connects past the proxies, so that injected link faults do not affect it. */
export interface BrokerAdmin extends AsyncDisposable {
  /** Publishes copies of recent messages of the exchange, with their ids; returns how many. */
  duplicate(count: number, order: "same" | "reversed"): Promise<number>;
  /** Takes messages out of a queue, holds them and puts them back, so that later ones overtake them; returns how many. */
  overtake(queue: string, holdMs: number): Promise<number>;
  /** Puts messages that no consumer can handle into a queue; returns the ids that the broker has confirmed. */
  poison(queue: string, ids: readonly string[]): Promise<string[]>;
  /** Deletes a queue of that name, or the first whose name begins so. False where there was none. */
  deleteQueue(namePrefix: string): Promise<boolean>;
  /** Closes the connections of one instance from the broker's side; returns how many. */
  closeConnections(name: string): Promise<number>;
  /** Messages waiting in the work and retry queues. */
  waiting(): Promise<number>;
  /** The dead letters, by queue and message id. */
  deadLetters(): Promise<{ queue: string; messageId: string }[]>;
}

const exchange = "smartcart.events";
const keptMessages = 400;
const workTimeoutMs = 15_000;
const workQueues = ["orders", "shipments"];

/** Call it once the services have declared their queues; reconnects by itself after a restart of the broker. */
export async function openBrokerAdmin(broker: BrokerEngine): Promise<BrokerAdmin> {
  const heard: AsyncMessage[] = [];
  const connection = await openConnection(broker, heard);
  return {
    async duplicate(count, order) {
      const latest = heard.filter((one) => one.messageId !== undefined).slice(-count);
      const copies = order === "same" ? latest : latest.reverse();
      return await connection.use((channel) => publishCopies(channel, copies));
    },
    overtake: (queue, holdMs) => connection.use((channel) => overtake(channel, queue, holdMs)),
    poison: (queue, ids) => connection.use((channel) => poison(channel, queue, ids)),
    async deleteQueue(namePrefix) {
      const name = (await queueNames(broker)).find((one) => one.startsWith(namePrefix));
      if (name === undefined) return false;
      // By `rabbitmqctl`: the HTTP API cannot delete an exclusive queue.
      await broker.ctl("delete_queue", "--vhost", vhostOf(broker), name);
      return true;
    },
    closeConnections: (name) => closeConnections(broker, name),
    async waiting() {
      const names = (await queueNames(broker)).filter((name) =>
        workQueues.some((queue) => name === queue || name.startsWith(`${queue}.retry.`)),
      );
      return await connection.use((channel) => countMessages(channel, names));
    },
    async deadLetters() {
      const deadLetters = workQueues.map(async (queue) => {
        const ids = await messageIds(broker, `${queue}.dlq`);
        return ids.map((messageId) => ({ queue, messageId }));
      });
      return (await Promise.all(deadLetters)).flat();
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

interface AdminConnection extends AsyncDisposable {
  /** Works on a channel of its own, on a connection to where the broker is now. Rejects after 15 s. */
  use<T>(work: (channel: Channel) => Promise<T>): Promise<T>;
}

/** What goes over the exchange is put into `heard`. */
async function openConnection(
  broker: BrokerEngine,
  heard: AsyncMessage[],
): Promise<AdminConnection> {
  let connection = connect(broker.url);
  let url = broker.url;
  await listen(connection, heard);
  return {
    async use(work) {
      if (url !== broker.url) {
        connection.unsafeDestroy();
        url = broker.url;
        connection = connect(url);
        await listen(connection, heard);
      }
      await connection.onConnect(10_000, true);
      return await withChannel(connection, work);
    },
    async [Symbol.asyncDispose]() {
      connection.unsafeDestroy();
    },
  };
}

async function publishCopies(channel: Channel, copies: readonly AsyncMessage[]): Promise<number> {
  await channel.confirmSelect();
  const sent = copies.map((message) =>
    channel.basicPublish(
      { ...propertiesOf(message), exchange, routingKey: message.routingKey },
      message.body,
    ),
  );
  return (await Promise.allSettled(sent)).filter((one) => one.status === "fulfilled").length;
}

async function overtake(channel: Channel, queue: string, holdMs: number): Promise<number> {
  const held: AsyncMessage[] = [];
  await channel.basicQos({ prefetchCount: 20 });
  const { consumerTag } = await channel.basicConsume({ queue }, (one) => held.push(one));
  await delay(holdMs);
  await channel.basicCancel({ consumerTag });
  for (const { deliveryTag } of held.reverse()) channel.basicNack({ deliveryTag, requeue: true });
  return held.length;
}

async function poison(channel: Channel, queue: string, ids: readonly string[]): Promise<string[]> {
  await channel.confirmSelect();
  const sent = ids.map(async (messageId, index) => {
    const { body, ...properties } = poisons[index % poisons.length] as Poison;
    await channel.basicPublish(
      { ...properties, routingKey: queue, messageId, durable: true },
      body,
    );
    return messageId;
  });
  const results = await Promise.allSettled(sent);
  return results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

async function countMessages(channel: Channel, queues: readonly string[]): Promise<number> {
  let messages = 0;
  for (const queue of queues) {
    messages += (await channel.queueDeclare({ queue, passive: true })).messageCount;
  }
  return messages;
}

interface Poison {
  readonly body: Buffer;
  readonly type: string;
  readonly contentType: string;
}

const contentType = "application/protobuf";
const placed = "smartcart.events.v1.OrderPlaced";

/** One of each kind that can never be handled: invalid protobuf, JSON, an unknown type, an empty event. */
const poisons: readonly Poison[] = [
  { body: Buffer.from([0xff, 0xff, 0xff]), type: placed, contentType },
  { body: Buffer.from("{}"), type: placed, contentType: "application/json" },
  { body: Buffer.alloc(0), type: "smartcart.events.v1.NoSuchEvent", contentType },
  { body: Buffer.alloc(0), type: placed, contentType },
];

function connect(url: string): Connection {
  const connection = new Connection({
    url,
    connectionName: "chaos",
    retryLow: 100,
    retryHigh: 1_000,
  });
  // Losing the connection is expected here; every use of it has a time-out.
  connection.on("error", () => {});
  return connection;
}

/** Remembers what goes over the exchange. */
async function listen(connection: Connection, heard: AsyncMessage[]): Promise<void> {
  await connection.onConnect(10_000, true);
  const tap = connection.createConsumer(
    {
      noAck: true,
      queueOptions: { exclusive: true, autoDelete: true },
      queueBindings: [{ exchange, routingKey: "order.#" }],
    },
    (message) => {
      heard.push(message);
      if (heard.length > keptMessages) heard.shift();
    },
  );
  tap.on("error", () => {});
}

function propertiesOf(message: AsyncMessage) {
  const { messageId, type, contentType, headers } = message;
  return {
    durable: true,
    ...(messageId !== undefined && { messageId }),
    ...(type !== undefined && { type }),
    ...(contentType !== undefined && { contentType }),
    ...(headers !== undefined && { headers }),
  };
}

async function withChannel<T>(
  connection: Connection,
  work: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await connection.acquire({ emitErrorsFromChannel: true });
  channel.on("error", () => {});
  try {
    return await withTimeout(
      work(channel),
      workTimeoutMs,
      timedOut("the broker does not answer its administrator", workTimeoutMs),
    );
  } finally {
    void channel.close().catch(() => {});
  }
}
