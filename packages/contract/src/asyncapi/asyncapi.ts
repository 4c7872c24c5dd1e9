import type { DescMessage } from "@bufbuild/protobuf";
import { ClientFrameSchema, ServerFrameSchema } from "@smartcart/gen/status/v1/frames_pb";
import { descriptionOf } from "../documents/descriptions.ts";
import { exampleOf } from "../documents/examples.ts";
import type { EventType, QueueType } from "../events/event-types.ts";
import { eventTypes, protobufContentType, queueTypes } from "../events/event-types.ts";
import { deadLetterExchange, eventsExchange } from "../events/topology.ts";
import type { JsonSchema, SchemaRegistry } from "../json-schema/json-schema.ts";
import { createSchemaRegistry } from "../json-schema/json-schema.ts";

/** Where what the document describes is to be found. */
interface AsyncApiOptions {
  /** Port of the status hub. */
  readonly statusPort: number;
  /** The hub speaks TLS. Default: plain text. */
  readonly hasTls?: boolean;
}

const events = [...eventTypes.values()];
const queues = [...queueTypes.values()];
const frames = [ClientFrameSchema, ServerFrameSchema];

/**
 * The AsyncAPI 3.0 document of the events and the WebSocket frames, made from the descriptors.
 * https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
export function createAsyncApi({ statusPort, hasTls = false }: AsyncApiOptions): object {
  // Consumers ignore unknown fields, so that an event can get new ones.
  const schemas = createSchemaRegistry({ closed: false });
  const messages = Object.fromEntries([
    ...events.map((event) => [event.desc.name, eventMessage(event, schemas)]),
    ...frames.map((frame) => [frame.name, frameMessage(frame, schemas)]),
  ]);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "SmartCart events",
      version: "1",
      description:
        "Events are protobuf; the schemas show them in proto3 JSON. Frames are proto3 JSON, one per text message.",
      license: { name: "Apache-2.0" },
    },
    servers: {
      broker: { host: "localhost:5672", protocol: "amqp", description: "RabbitMQ" },
      hub: {
        host: `localhost:${statusPort}`,
        protocol: hasTls ? "wss" : "ws",
        description: "StatusHub",
      },
    },
    channels: channels(),
    operations: operations(),
    components: { messages, schemas: schemas.all() },
  };
}

function channels(): JsonSchema {
  return {
    ...Object.fromEntries(events.map((event) => [event.desc.name, eventChannel(event)])),
    ...Object.fromEntries(queues.map((queue) => [`queue-${queue.name}`, queueChannel(queue)])),
    ws: { address: "/ws", servers: [{ $ref: "#/servers/hub" }], messages: refs(frames) },
  };
}

function operations(): JsonSchema {
  return {
    ...Object.fromEntries(
      events.map(({ desc }) => [`publish${desc.name}`, operation("send", desc.name)]),
    ),
    ...Object.fromEntries(
      queues.map(({ name }) => [`consume-${name}`, operation("receive", `queue-${name}`)]),
    ),
    receiveClientFrame: operation("receive", "ws", ClientFrameSchema.name),
    sendServerFrame: operation("send", "ws", ServerFrameSchema.name),
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

function eventMessage(event: EventType, schemas: SchemaRegistry): JsonSchema {
  return {
    name: event.desc.typeName,
    title: event.desc.name,
    description: descriptionOf(event.desc) ?? "",
    contentType: protobufContentType,
    payload: schemas.ref(event.desc),
    examples: [{ payload: exampleOf(event.desc) }],
    bindings: { amqp: { messageType: event.desc.typeName, bindingVersion: "0.3.0" } },
  };
}

function frameMessage(desc: DescMessage, schemas: SchemaRegistry): JsonSchema {
  return {
    name: desc.typeName,
    title: desc.name,
    description: descriptionOf(desc) ?? "",
    contentType: "application/json",
    payload: schemas.ref(desc),
    examples: [{ payload: exampleOf(desc) }],
  };
}

function operation(action: "send" | "receive", channel: string, message?: string): JsonSchema {
  const $ref = `#/channels/${channel}`;
  if (message === undefined) return { action, channel: { $ref } };
  return { action, channel: { $ref }, messages: [{ $ref: `${$ref}/messages/${message}` }] };
}

function refs(descs: readonly DescMessage[]): JsonSchema {
  return Object.fromEntries(
    descs.map((desc) => [desc.name, { $ref: `#/components/messages/${desc.name}` }]),
  );
}
