/**
 * The words of this package.
 *
 * - **event**: a protobuf message of the contract that travels over the queue.
 * - **queue**: durable, shared by competing consumers: each message goes to one of them.
 * - **fan-out**: every subscriber gets every event from the moment it subscribed.
 * - **attempt**: how often a message was answered with "retry", plus one. A consumer that dies gives
 *   no answer: that is a new delivery of the same attempt.
 * - **dead letter**: a message given up, kept until an operator redrives or drops it.
 */
import type { DescMessage, JsonValue, Message, MessageShape } from "@bufbuild/protobuf";
import type { Logger } from "@smartcart/runtime";

/** An event ready to be stored in an outbox or published. */
export interface OutgoingEvent {
  /** Unique for ever; consumers recognise a copy by it. */
  readonly id: string;
  /** Full message name: `smartcart.events.v1.OrderPlaced`. */
  readonly type: string;
  /** Where it goes, derived from the contract: `order.placed`. */
  readonly routingKey: string;
  /** Events of the same key keep their order; "" means that no order is kept. */
  readonly orderingKey: string;
  /** The message in protobuf's binary form. */
  readonly body: Uint8Array;
  /** W3C trace context; "" means none. */
  readonly traceparent: string;
}

/** The results of one `publish`; every id is in exactly one list. */
export interface PublishReport {
  /** The queue has them on disk (or a pure fan-out has no subscriber). */
  readonly confirmed: readonly string[];
  /** No answer in time: they may have arrived. Publish the same id again. */
  readonly unknown: readonly string[];
  /** No queue takes them; publishing again changes nothing until the topology does. */
  readonly unroutable: readonly string[];
}

/** Options of one `publish`. */
export interface PublishOptions {
  /** Gives up early: what is not confirmed by then is reported as unknown. */
  readonly signal?: AbortSignal;
  /** Longest time to wait for confirms; default 5,000. */
  readonly timeoutMs?: number;
}

/** One message that a consumer is processing. */
export interface Delivery {
  /** The publisher's id; for a foreign message without one, a hash of its type and body. */
  readonly id: string;
  /** Full message name. */
  readonly type: string;
  /** From 1. */
  readonly attempt: number;
  /** W3C trace context; "" means none. */
  readonly traceparent: string;
  /** The decoded event; narrow it with `isMessage(delivery.message, OrderPlacedSchema)`. */
  readonly message: Message;
}

/** A handler's answer for one delivery. */
export type Outcome =
  /** Done: forget it. */
  | { readonly kind: "ack" }
  /**
   * Failed for now: again after the next pause of the queue's retry ladder, until its attempts are
   * used up.
   */
  | { readonly kind: "retry"; readonly reason: string }
  /** Failed for good. */
  | { readonly kind: "dead-letter"; readonly reason: string };

/** The result of a delivery: "drop" is a dead letter of a queue that keeps none. */
export type HandledResult = "ack" | "retry" | "dead-letter" | "drop";

/** What a consumer is made of. */
export interface ConsumeOptions {
  /** Shown in logs and in the broker's list of consumers: `shipping`. */
  readonly name: string;
  readonly log: Logger;
  /** Most deliveries handed over at once; default 1. A batch is what is there, never waited for. */
  readonly maxBatch?: number;
  /** A handler that takes longer is aborted, which is a failure of its batch; default 30,000. */
  readonly handlerTimeoutMs?: number;
  /**
   * Returns an outcome for every delivery, by position. After a thrown error or a time-out it is called with
   * parts of the batch, and what fails alone is retried. It must be idempotent: a message can come again
   * after a crash, a lost connection or a time-out.
   */
  readonly handle: (
    batch: readonly Delivery[],
    context: { readonly signal: AbortSignal },
  ) => Promise<readonly Outcome[]>;
  /**
   * Called with the result of every delivery; `delivery` is undefined where it could not be
   * decoded. Must not throw.
   */
  readonly onHandled?: (result: HandledResult, delivery: Delivery | undefined) => void;
}

/** What a fan-out subscriber is made of. */
export interface SubscribeOptions<D extends DescMessage> {
  /** Shown in logs and in the broker's list of queues: `status-hub`. */
  readonly name: string;
  readonly log: Logger;
  /** New events; those of one ordering key in publish order. Must not block and must not throw. */
  readonly onEvents: (events: readonly MessageShape<D>[]) => void;
  /** Events may have been missed, for example because the connection was lost: read the current state again. */
  readonly onGap: () => void;
  /** Called with the id of each event that breaks the contract and is not delivered. Must not throw. */
  readonly onDropped?: (messageId: string) => void;
}

/**
 * A consumer or subscriber at work. Disposing it takes no new batch and finishes the one under way.
 */
export interface RunningConsumer extends AsyncDisposable {
  /** Whether it is attached to the queue right now; part of a service's readiness. */
  ready(): boolean;
}

/** A message that was given up. */
export interface DeadLetter {
  readonly id: string;
  /** "" where a foreign message did not say. */
  readonly type: string;
  /** Why it was given up. */
  readonly reason: string;
  /** The attempt that was its last. */
  readonly attempt: number;
  readonly failedAt: Date | undefined;
  /** W3C trace context; "" means none. */
  readonly traceparent: string;
  /** As it came in, to the byte. */
  readonly body: Uint8Array;
  /**
   * The AMQP properties and headers that its sender set, in a readable form: bytes as `base64:…`, times as ISO 8601. A redriven message
   * has them byte for byte.
   */
  readonly properties: Readonly<Record<string, JsonValue>>;
  readonly headers: Readonly<Record<string, JsonValue>>;
}

/**
 * The dead letters of one queue. Ids that are not there are skipped; each call is safe to repeat.
 */
export interface DeadLetters {
  /** The oldest ones first, at most `limit` (default 100). They stay where they are. */
  list(o?: { readonly limit?: number }): Promise<DeadLetter[]>;
  count(): Promise<number>;
  /**
   * Puts them back into their queue with a fresh set of attempts; returns how many. Unbounded
   * unless limited.
   */
  redrive(
    ids: readonly string[] | "all",
    o?: { readonly maxPerSecond?: number; readonly limit?: number },
  ): Promise<number>;
  /** Deletes them for good; returns how many. Unbounded unless limited. */
  drop(ids: readonly string[] | "all", o?: { readonly limit?: number }): Promise<number>;
}

/** The dead letters of a queue that keeps none. */
export const noDeadLetters: DeadLetters = {
  list: async () => [],
  count: async () => 0,
  redrive: async () => 0,
  drop: async () => 0,
};

/** What each engine is opened with. */
export interface EngineOptions {
  /** The service that opens it, for the engine's list of connections: `shipping`. */
  readonly name: string;
  readonly log: Logger;
  /** Stops waiting for an engine that is not available yet. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Typed events over a durable queue. Both engines keep the same contract, shown by one test suite.
 */
export interface EventBus extends AsyncDisposable {
  readonly engine: "rabbitmq" | "postgres";
  /**
   * Publishes in bulk and waits for all confirms together. Never hangs and never throws for a
   * broken connection: what was not confirmed in time is `unknown`.
   */
  publish(events: readonly OutgoingEvent[], o?: PublishOptions): Promise<PublishReport>;
  /**
   * Joins the consumers of a queue of the contract. Delivery is at least once. A queue's only
   * consumer gets the messages of an ordering key in publish order, a retried one excepted; between
   * several consumers no order is promised. A message that cannot be decoded never reaches the
   * handler: it becomes a dead letter at once. Resolves when attached.
   */
  consume(queue: string, o: ConsumeOptions): Promise<RunningConsumer>;
  /** Delivers every event of a type that is published after this resolves. */
  subscribe<D extends DescMessage>(event: D, o: SubscribeOptions<D>): Promise<RunningConsumer>;
  deadLetters(queue: string): DeadLetters;
  /** Deletes the messages that no queue takes and that the engine has kept; returns how many. */
  dropUnrouted(): Promise<number>;
  /**
   * Messages waiting, per queue, dead-letter and retry queues included; those that a consumer is processing
   * are not counted.
   */
  depths(): Promise<Readonly<Record<string, number>>>;
  /**
   * Time since the oldest message that waits in each work queue was published, in milliseconds. Queues in which none waits are left
   * out. Undefined where the engine cannot tell: of RabbitMQ only by taking the message, which counts as one of its deliveries.
   */
  oldestMs(): Promise<Readonly<Record<string, number>> | undefined>;
  /** Throws when the engine cannot be reached within two seconds. */
  check(): Promise<void>;
}
