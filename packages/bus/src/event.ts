import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { toBinary } from "@bufbuild/protobuf";
import { eventTypeOf, orderingKeyOf, routingKeyOf } from "@smartcart/contract";
import type { OutgoingEvent } from "./types.ts";

/**
 * An event to be stored or published. Routing key and ordering key come from the contract. Throws a ContractError for a message that
 * is not an event.
 */
export function createEvent<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
  o: { id: string; traceparent?: string | undefined; orderingKey?: string },
): OutgoingEvent {
  const type = eventTypeOf(schema);
  return {
    id: o.id,
    type: schema.typeName,
    routingKey: routingKeyOf(type, message),
    orderingKey: o.orderingKey ?? orderingKeyOf(type, message),
    body: toBinary(schema, message),
    traceparent: o.traceparent ?? "",
  };
}
