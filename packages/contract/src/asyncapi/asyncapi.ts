import type { DescMessage } from "@bufbuild/protobuf";
import { ClientFrameSchema, ServerFrameSchema } from "@smartcart/gen/status/v1/frames_pb";
import type { EventType, QueueType } from "../events/event-types.ts";
import { eventTypes, protobufContentType, queueTypes } from "../events/event-types.ts";
import { deadLetterExchange, eventsExchange } from "../events/topology.ts";
import type { JsonSchema, SchemaPool } from "./asyncapi-schema.ts";
import { messageSchema } from "./asyncapi-schema.ts";

/** Where what the document describes is to be found. */
export interface AsyncApiOptions {
  /** Port of the status hub. */
  readonly statusPort: number;
}

/**
 * The AsyncAPI 3.0 document of the events and the WebSocket frames, made from the descriptors.
 * https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
export function createAsyncApi({ statusPort }: AsyncApiOptions): object {
  const pool: SchemaPool = new Map();
  const events = [...eventTypes.values()];
  const queues = [...queueTypes.values()];
  const frames = [ClientFrameSchema, ServerFrameSchema];
  return {
    asyncapi: "3.0.0",
    info: {
      title: "SmartCart events",
      version: "1",
      description:
        "Events are protobuf; the schemas show them in proto3 JSON. Frames are proto3 JSON, one a text message.",
      license: { name: "Apache-2.0" },
    },
    servers: {
      broker: { host: "localhost:5672", protocol: "amqp", description: "RabbitMQ" },
      hub: { host: `localhost:${statusPort}`, protocol: "ws", description: "StatusHub" },
    },
    channels: {
      ...Object.fromEntries(events.map((event) => [nameOf(event.desc), eventChannel(event)])),
      ...Object.fromEntries(queues.map((queue) => [`queue-${queue.name}`, queueChannel(queue)])),
      ws: {
        address: "/ws",
        servers: [{ $ref: "#/servers/hub" }],
        messages: refs(frames),
      },
    },
    operations: {
      ...Object.fromEntries(
        events.map((event) => [
          `publish${nameOf(event.desc)}`,
          operation("send", nameOf(event.desc)),
        ]),
      ),
      ...Object.fromEntries(
        queues.map((queue) => [
          `consume-${queue.name}`,
          operation("receive", `queue-${queue.name}`),
        ]),
      ),
      receiveClientFrame: operation("receive", "ws", nameOf(ClientFrameSchema)),
      sendServerFrame: operation("send", "ws", nameOf(ServerFrameSchema)),
    },
    components: {
      messages: Object.fromEntries([
        ...events.map((event) => [nameOf(event.desc), eventMessage(event, pool)]),
        ...frames.map((frame) => [nameOf(frame), frameMessage(frame, pool)]),
      ]),
      // Last: by now the pool is full.
      schemas: Object.fromEntries([...pool].sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}

function eventChannel(event: EventType): JsonSchema {
  const parameters = [...event.routingKey.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  return {
    address: event.routingKey,
    servers: [{ $ref: "#/servers/broker" }],
    messages: refs([event.desc]),
    ...(parameters.length > 0 && {
      parameters: Object.fromEntries(
        parameters.map((name) => [name, { description: `Field ${name} of the message.` }]),
      ),
    }),
    bindings: {
      amqp: {
        is: "routingKey",
        exchange: { name: eventsExchange, type: "topic", durable: true, autoDelete: false },
        bindingVersion: "0.3.0",
      },
    },
  };
}

function queueChannel(queue: QueueType): JsonSchema {
  const pauses = queue.retryDelaysMs.map((delayMs) => `${delayMs / 1000} s`).join(", ");
  const end = queue.deadLetter
    ? `then ${queue.name}.dlq behind ${deadLetterExchange}`
    : "then dropped";
  return {
    address: queue.name,
    description: `Competing consumers. Retries after ${pauses || "no pause"}; ${queue.maxAttempts} attempts, ${end}.`,
    servers: [{ $ref: "#/servers/broker" }],
    messages: refs(queue.events.map((event) => event.desc)),
    bindings: {
      amqp: {
        is: "queue",
        queue: { name: queue.name, durable: true, exclusive: false, autoDelete: false },
        bindingVersion: "0.3.0",
      },
    },
  };
}

function eventMessage(event: EventType, pool: SchemaPool): JsonSchema {
  return {
    name: event.desc.typeName,
    title: nameOf(event.desc),
    contentType: protobufContentType,
    payload: messageSchema(event.desc, pool),
    bindings: { amqp: { messageType: event.desc.typeName, bindingVersion: "0.3.0" } },
  };
}

function frameMessage(desc: DescMessage, pool: SchemaPool): JsonSchema {
  return {
    name: desc.typeName,
    title: desc.name,
    contentType: "application/json",
    payload: messageSchema(desc, pool),
  };
}

function operation(action: "send" | "receive", channel: string, message?: string): JsonSchema {
  const $ref = `#/channels/${channel}`;
  if (message === undefined) return { action, channel: { $ref } };
  return { action, channel: { $ref }, messages: [{ $ref: `${$ref}/messages/${message}` }] };
}

function refs(descs: readonly DescMessage[]): JsonSchema {
  return Object.fromEntries(
    descs.map((desc) => [nameOf(desc), { $ref: `#/components/messages/${nameOf(desc)}` }]),
  );
}

function nameOf(desc: DescMessage): string {
  return desc.name;
}
