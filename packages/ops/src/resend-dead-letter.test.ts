import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { OutgoingEvent } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { DeadLetterSchema } from "@smartcart/gen/ops/v1/dead_letter_pb";
import { resendDeadLetter } from "./resend-dead-letter.ts";

const original = create(OrderPlacedSchema, {
  orderId: "ORD-1",
  userId: "ada",
  address: "1 Main St",
  items: [{ productId: "mug", name: "Mug", quantity: 1 }],
});

/** What is published for an edited body. */
async function published(messageJson: string) {
  const events: OutgoingEvent[] = [];
  await resendDeadLetter(
    { queue: "orders", messageId: "ORD-1:placed", messageJson },
    {
      bus: {
        async publish(some) {
          events.push(...some);
          return { confirmed: some.map(({ id }) => id), unknown: [], unroutable: [] };
        },
      },
      find: async () => ({
        deadLetter: create(DeadLetterSchema, { type: OrderPlacedSchema.typeName }),
        body: toBinary(OrderPlacedSchema, original),
      }),
    },
  );
  return events.map(({ id, body }) => ({ id, message: fromBinary(OrderPlacedSchema, body) }));
}

test("what was not shown is in the copy as it was, and what was edited as it is", async () => {
  const [copy] = await published(
    '{"orderId":"ORD-1","userId":"[redacted]","address":"[redacted]","items":[{"productId":"pot","name":"Pot","quantity":2,"unitPrice":{"currencyCode":"USD","minorUnits":"900"}}]}',
  );
  expect(copy?.id).toMatch(/^ORD-1:placed:copy-[0-9a-f]{8}$/);
  expect(copy?.message).toMatchObject({
    userId: "ada",
    address: "1 Main St",
    items: [{ productId: "pot", quantity: 2 }],
  });
});

test.each(["[]", "{", '{"orderId":"ORD-1","orderId":"ORD-2"}', '{"noSuchField":1}'])(
  "the body %s is refused",
  async (body) => {
    await expect(published(body)).rejects.toThrow();
  },
);
