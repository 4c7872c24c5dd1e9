/**
 * What the contract says about events, read from the descriptors: `smartcart.mesh.v1.event` on each
 * message. There is no second table of queues anywhere.
 */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { getOption, hasOption } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { file_smartcart_events_v1_log_events } from "@smartcart/gen/events/v1/log_events_pb";
import { file_smartcart_events_v1_order_events } from "@smartcart/gen/events/v1/order_events_pb";
import { file_smartcart_events_v1_shipment_events } from "@smartcart/gen/events/v1/shipment_events_pb";
import { event as eventOption } from "@smartcart/gen/mesh/v1/options_pb";

/** An event type of the contract. */
export interface EventType {
  readonly desc: DescMessage;
  /** Routing key with fields in braces: `order.status.{milestone}`. */
  readonly routingKey: string;
  /** The AMQP topic pattern that matches every routing key of this type: `order.status.#`. */
  readonly pattern: string;
  /** Proto name of the ordering field; "" means none. */
  readonly orderingField: string;
  /** Names of the work queues that take it. */
  readonly queues: readonly string[];
  /** Whether several of these may travel as one message. */
  readonly merges: boolean;
}

/** A work queue of the contract. */
export interface QueueType {
  readonly name: string;
  /** Pause before attempt 2, 3, …; the last one repeats. Empty: no retry. */
  readonly retryDelaysMs: readonly number[];
  readonly maxAttempts: number;
  /** Deliveries of one attempt that may end without an answer. */
  readonly deliveryLimit: number;
  /** Whether what fails for good is kept in `<name>.dlq`; otherwise it is dropped and counted. */
  readonly deadLetter: boolean;
  /** The events that it takes. */
  readonly events: readonly EventType[];
}

/**
 * The contract has no such queue or event, or contradicts itself: a mistake in code, found at
 * start.
 */
export class ContractError extends Error {
  readonly code = "BUS_CONTRACT";
}

/** The content type of every message that we publish. */
export const protobufContentType = "application/protobuf";

const files = [
  file_smartcart_events_v1_log_events,
  file_smartcart_events_v1_order_events,
  file_smartcart_events_v1_shipment_events,
];

/** Every event type, by full message name. */
export const eventTypes: ReadonlyMap<string, EventType> = new Map(
  files
    .flatMap((file) => file.messages)
    .filter((desc) => hasOption(desc, eventOption))
    .map((desc) => [desc.typeName, readEventType(desc)]),
);

/** Every work queue, by name. */
export const queueTypes: ReadonlyMap<string, QueueType> = readQueueTypes();

/** The event type of a message; throws a ContractError for a message that is no event. */
export function eventTypeOf(desc: DescMessage): EventType {
  const type = eventTypes.get(desc.typeName);
  if (type === undefined) {
    throw new ContractError(`${desc.typeName} is no event: it has no (smartcart.mesh.v1.event)`);
  }
  return type;
}

/** The queue of that name; throws a ContractError naming those that exist. */
export function queueTypeOf(name: string): QueueType {
  const queue = queueTypes.get(name);
  if (queue === undefined) {
    throw new ContractError(
      `queue "${name}" is not in the contract, which has: ${[...queueTypes.keys()].join(", ")}`,
    );
  }
  return queue;
}

/** Whether some queue must take events of this type; a pure fan-out may have no subscriber. */
export function isMandatory(type: string): boolean {
  return eventTypes.get(type)?.queues.length !== 0;
}

/** The routing key of one message: its type's, with each field in braces replaced by the value. */
export function routingKeyOf(type: EventType, message: Message): string {
  return type.routingKey.replace(/\{(\w+)\}/g, (_, name: string) => wordOf(type, message, name));
}

/** The value of the ordering field; "" where the type has none. */
export function orderingKeyOf(type: EventType, message: Message): string {
  return type.orderingField === "" ? "" : wordOf(type, message, type.orderingField);
}

/** The event type that a routing key belongs to, if just one of `among` fits. */
export function eventTypeByRoutingKey(
  routingKey: string,
  among: readonly EventType[],
): EventType | undefined {
  const fitting = among.filter((type) => matches(type.routingKey, routingKey));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function readEventType(desc: DescMessage): EventType {
  const policy = getOption(desc, eventOption);
  return {
    desc,
    routingKey: policy.routingKey,
    pattern: policy.routingKey.replace(/\{\w+\}$/, "#").replace(/\{\w+\}/g, "*"),
    orderingField: policy.orderingKey,
    queues: policy.queues.map((queue) => queue.name),
    merges: policy.merge,
  };
}

function readQueueTypes(): Map<string, QueueType> {
  const queues = new Map<string, QueueType>();
  for (const type of eventTypes.values()) {
    for (const policy of getOption(type.desc, eventOption).queues) {
      const known = queues.get(policy.name);
      const queue: QueueType = {
        name: policy.name,
        retryDelaysMs: policy.retryDelaysMs,
        maxAttempts: policy.maxAttempts,
        deliveryLimit: policy.deliveryLimit,
        deadLetter: policy.deadLetter,
        events: [...(known?.events ?? []), type],
      };
      if (known !== undefined && settingsOf(known) !== settingsOf(queue)) {
        throw new ContractError(`queue "${policy.name}" is described in two ways in the contract`);
      }
      queues.set(policy.name, queue);
    }
  }
  return queues;
}

function settingsOf(queue: QueueType): string {
  return JSON.stringify({ ...queue, events: [] });
}

/** A field's value as a word of a routing key: an enum in lower case without its prefix. */
function wordOf(type: EventType, message: Message, fieldName: string): string {
  const field = type.desc.fields.find((candidate) => candidate.name === fieldName);
  if (field === undefined) {
    throw new ContractError(`${type.desc.typeName} has no field "${fieldName}"`);
  }
  const value: unknown = reflect(type.desc, message).get(field);
  if (field.fieldKind !== "enum") return String(value);
  const name = field.enum.value[Number(value)]?.name ?? String(value);
  const prefix = field.enum.sharedPrefix ?? "";
  return name.toLowerCase().slice(name.toLowerCase().startsWith(prefix) ? prefix.length : 0);
}

function matches(template: string, routingKey: string): boolean {
  const source = template
    .split(".")
    .map((word) => (word.startsWith("{") ? "[^.]+" : word.replace(/[^\w-]/g, "\\$&")))
    .join("\\.");
  return new RegExp(`^${source}$`).test(routingKey);
}
