/** Messages that are gone for good, as with a broker that lost its disk: the order is shipped all the same. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectConsistent, rowsOf } from "./invariants.ts";
import { seedBody, startStack, wholeLife } from "./stack.ts";

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack({ env: { ORDER_SHIPMENT_OVERDUE_MS: "1000" } });
  // What is written into an outbox is as good as sent; what vanishes from it is lost. Only the first copy is.
  await rowsOf(
    shop.databaseUrl,
    `create table public.lost (message_id text primary key);
     create function public.lose() returns trigger language plpgsql as $$ begin
       insert into public.lost values (new.message_id) on conflict do nothing;
       if found then return null; end if;
       return new;
     end $$`,
  );
});
afterAll(() => shop?.[Symbol.asyncDispose]());

it.each([
  ["that orders the shipment", "orders", "order.placed"],
  ["that it has begun and that it has left", "shipping", "order.ship%"],
])("ships an order though the message %s is lost", async (_, schema, routingKey) => {
  await rowsOf(
    shop.databaseUrl,
    `create trigger lose before insert on ${schema}.outbox for each row
     when (new.routing_key like '${routingKey}') execute function public.lose()`,
  );
  const { orderId } = (await shop.place(seedBody)).body;
  expect(await shop.history(orderId, "Shipped")).toEqual(wholeLife);
  await rowsOf(shop.databaseUrl, `drop trigger lose on ${schema}.outbox`);
  const lost = await rowsOf(shop.databaseUrl, "select from public.lost where message_id like $1", [
    `${orderId}%`,
  ]);
  expect(lost.length).toBeGreaterThan(0);
  await expectConsistent(shop.databaseUrl);
});
