/** Messages that are gone for good, as with a broker that lost its disk: the order is shipped all the same. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectConsistent, rowsOf } from "./invariants.ts";
import { seedBody, startStack, wholeLife } from "./stack.ts";

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack({ env: { ORDER_SHIPMENT_OVERDUE_MS: "1000" } });
  // What is written into the outbox is as good as sent; what vanishes from it is lost. Only the first copy is.
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

it("ships an order though the message that orders the shipment is lost", async () => {
  await rowsOf(
    shop.databaseUrl,
    `create trigger lose before insert on orders.outbox for each row
     when (new.routing_key = 'order.placed') execute function public.lose()`,
  );
  const { orderId } = (await shop.place(seedBody)).body;
  expect(await shop.history(orderId, "Shipped")).toEqual(wholeLife);
  const lost = await rowsOf(shop.databaseUrl, "select from public.lost where message_id = $1", [
    `${orderId}:placed`,
  ]);
  expect(lost).toHaveLength(1);
  await expectConsistent(shop.databaseUrl);
});
