/** A payment that takes longer than its reservation lasts, while the units go to another order. */
import { expect, it } from "vitest";
import { waitFor } from "@smartcart/testkit";
import { expectConsistent, rowsOf } from "./invariants.ts";
import { seedBody, startStack, wholeLife } from "./stack.ts";

it("is paid back, and the history says so", async () => {
  await using shop = await startStack({
    env: {
      RESERVATION_TTL_MS: "1000",
      // The answer is lost, and asked for again only when the units have long gone.
      PROVIDER_TIMEOUT_MS: "8000",
      ORDER_ANSWER_TIMEOUT_MS: "500",
    },
  });
  const productId = "copper-moka-pot";
  const all = await shop.available(productId);
  const body = { ...seedBody, items: [{ productId, quantity: all }] };
  const late = await shop.place({ ...body, paymentToken: "tok_timeout" });
  expect([late.status, late.body.status]).toEqual([202, "PENDING"]);

  await waitFor(async () => (await shop.available(productId)) === all, {
    what: "the reservation to expire",
    timeoutMs: 20_000,
  });
  const quick = await shop.place(body);
  expect(await shop.history(quick.body.orderId, "Shipped")).toEqual(wholeLife);

  const { orderId } = late.body;
  expect(await shop.history(orderId, "Refunded")).toEqual([
    "Order Received",
    "Stock Reserved",
    "Payment Confirmed",
    "Out of Stock",
    "Refunded",
  ]);
  const ledger = await rowsOf(
    shop.databaseUrl,
    "select kind from payment_provider.ledger_entry where charge_id = $1 order by entry_id",
    [orderId],
  );
  expect(ledger).toEqual([{ kind: "capture" }, { kind: "refund" }]);
  expect(await shop.available(productId)).toBe(0);
  await expectConsistent(shop.databaseUrl);
});
