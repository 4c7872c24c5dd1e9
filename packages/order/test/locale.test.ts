/** A database that sorts by the rules of a language: in Czech, "CH" comes after "H" and letters sort apart from their code points. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLocaleDatabase } from "@smartcart/testkit";
import { startRealService } from "./real-service.ts";

const resources = new AsyncDisposableStack();
let service: Awaited<ReturnType<typeof startRealService>>;
beforeAll(async () => {
  const { url } = resources.use(await createLocaleDatabase("cs-CZ"));
  service = resources.use(await startRealService({ databaseUrl: url }));
});
afterAll(() => resources.disposeAsync());

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

it("lists orders newest first, and its pages neither repeat nor skip", {
  timeout: 60_000,
}, async () => {
  // Ids as they come within minutes: what differs are their last characters, in every combination that matters.
  const ids = [...alphabet].flatMap((a) =>
    [...alphabet].map((b) => `ORD-01${"C".repeat(20)}${a}${b}CH`),
  );
  await service.database.query({
    text: `insert into orders (order_id, user_id, state, items, currency_code, total_minor, address, payment_token,
             placed_at, trace_id, last_sequence, lease_until)
           select id, 'locale', 'SHIPPED', '[]', 'USD', 0, '', '', now(), '', 1, now() from unnest($1::text[]) id`,
    values: [ids],
  });
  const listed: string[] = [];
  let pageToken = "";
  do {
    const page = await service.client.listOrders({ userId: "locale", pageSize: 97, pageToken });
    listed.push(...page.orders.map(({ orderId }) => orderId));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(listed).toEqual(ids.toSorted().toReversed());
});

it("has no column of ids that sorts by a language", async () => {
  const { rows } = await service.database.query({
    text: `select attrelid::regclass::text || '.' || attname as name from pg_attribute a
           join pg_class c on c.oid = attrelid join pg_collation l on l.oid = attcollation
           where relnamespace = 'orders'::regnamespace and relkind in ('r', 'i') and collname <> 'C'
             and attname in ('order_id', 'idempotency_key')`,
  });
  expect(rows).toEqual([]);
});

it("reads that index, and no more of it than it needs", async () => {
  const { rows } = await service.database.query<{ "QUERY PLAN": string }>({
    text: `explain (costs off) select order_id from orders where user_id = 'locale' and order_id < 'ORD-02'
           order by order_id desc limit 20`,
  });
  expect(rows.map((row) => row["QUERY PLAN"]).join("\n")).toMatch(
    /^Limit\n.*Index (Only )?Scan (using|Backward using) orders_by_user/,
  );
});
