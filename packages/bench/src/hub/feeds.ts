/** The two feeds of statuses to a hub. */
import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { connect } from "amqplib";
import { createEvent, openBus } from "@smartcart/bus";
import {
  OrderStatusChangedSchema,
  OrderStatusesChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import type { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { silentLogger } from "@smartcart/runtime";
import { statusExchange } from "./order-book.ts";

/** A status as its publisher knows it. */
export interface Status {
  readonly orderId: string;
  readonly userId: string;
  readonly sequence: number;
  readonly milestone: OrderMilestone;
  /** The same as people read it. */
  readonly status: string;
  /** Unix time in milliseconds. */
  readonly occurredAtMs: number;
  readonly service: string;
  readonly traceId: string;
}

/** Publishes statuses, those of one call in as few messages as the contract allows. */
export interface Feed {
  /** Resolves when the queue has them; throws where it does not take them. */
  publish(statuses: readonly Status[]): Promise<void>;
}

/** Most statuses in one message, as in the relay of the outbox. */
const maxBundle = 200;

/** SmartCart's own bus: protobuf, with confirms. */
export async function openBusFeed(o: {
  readonly amqpUrl: string | undefined;
  readonly databaseUrl: string;
}): Promise<Feed> {
  const bus = await openBus({ ...o, name: "order", log: silentLogger });
  return {
    async publish(statuses) {
      const events = bundlesOf(statuses).map((bundle) => {
        const message = create(OrderStatusesChangedSchema, { changes: bundle.map(changeOf) });
        return createEvent(OrderStatusesChangedSchema, message, { id: randomUUID() });
      });
      const { confirmed } = await bus.publish(events);
      if (confirmed.length < events.length) throw new Error("the queue did not take all statuses");
    },
  };
}

function changeOf({ status: _, occurredAtMs, ...rest }: Status) {
  const occurredAt = timestampFromMs(occurredAtMs);
  return create(OrderStatusChangedSchema, { ...rest, occurredAt });
}

/** JSON by amqplib, bundled in the same way, so that the hubs get the same number of messages. */
export async function openJsonFeed(amqpUrl: string): Promise<Feed> {
  // Without noDelay each publish would wait 40 ms for the one before, and the hub would get few, large bundles.
  const connection = await connect(amqpUrl, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(statusExchange, "fanout");
  return {
    async publish(statuses) {
      for (const bundle of bundlesOf(statuses)) {
        channel.publish(statusExchange, "", Buffer.from(JSON.stringify(bundle.map(toJson))));
      }
      await channel.waitForConfirms();
    },
  };
}

function toJson({ milestone: _, occurredAtMs, ...rest }: Status) {
  return { ...rest, occurredAt: new Date(occurredAtMs).toISOString() };
}

function bundlesOf(statuses: readonly Status[]): (readonly Status[])[] {
  const count = Math.ceil(statuses.length / maxBundle);
  return Array.from({ length: count }, (_, i) =>
    statuses.slice(i * maxBundle, (i + 1) * maxBundle),
  );
}
