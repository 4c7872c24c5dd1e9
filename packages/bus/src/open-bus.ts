import type { Registry } from "@smartcart/runtime";
import { observeBus } from "./observed-bus.ts";
import { openPostgresBus } from "./postgres/bus.ts";
import { openRabbitmqBus } from "./rabbitmq/bus.ts";
import type { EngineOptions, EventBus } from "./types.ts";

/** What a bus is opened with. */
export interface BusOptions extends EngineOptions {
  /** Set: RabbitMQ, `amqp://user:password@host:port/vhost`. Unset: the queue in PostgreSQL. */
  readonly amqpUrl?: string | undefined;
  /** Where the PostgreSQL queue lives, in schema `queue`. Not touched with RabbitMQ. */
  readonly databaseUrl: string;
  /** `databaseIdentity` of the database whose consumers own the queues on RabbitMQ: others are rejected. Undefined: not checked. */
  readonly owner?: string | undefined;
  /** Where its messages are counted. Default: nowhere; services that share a bus count their own, see `observeBus`. */
  readonly metrics?: Registry | undefined;
}

/**
 * Opens the configured queue, and waits for it without a bound. Throws a StartError that names
 * AMQP_URL or DATABASE_URL for a fault that does not go away by waiting.
 */
export async function openBus(o: BusOptions): Promise<EventBus> {
  const { amqpUrl, databaseUrl, owner, metrics, ...shared } = o;
  const bus =
    amqpUrl === undefined
      ? await openPostgresBus({ databaseUrl, ...shared })
      : await openRabbitmqBus({ amqpUrl, owner, ...shared });
  return metrics === undefined ? bus : observeBus(bus, metrics);
}
