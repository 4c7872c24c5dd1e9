/** `smartcart doctor` as a person uses it, on a shop that is open. start.test.ts has one that is well in every respect. */

import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEvent, openBus } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { runCommand, waitFor } from "@smartcart/testkit";
import { contradictions, rowsOf } from "./invariants.ts";
import { seedBody, startStack } from "./stack.ts";

const main = new URL("../src/main.ts", import.meta.url).pathname;

let shop: Awaited<ReturnType<typeof startStack>>;
let orderId: string;
beforeAll(async () => {
  shop = await startStack();
  ({ orderId } = (await shop.place(seedBody)).body);
  await shop.history(orderId, "Shipped");
});
afterAll(() => shop?.[Symbol.asyncDispose]());

/** Runs the command against the shop. */
function smartcart(...args: string[]) {
  const url = (service: string) => shop.urls[service] ?? "";
  const env = {
    DATABASE_URL: shop.databaseUrl,
    ORDER_URL: url("order"),
    INVENTORY_URL: url("inventory"),
    PAYMENT_URL: url("payment"),
    SHIPPING_URL: url("shipping"),
    STATUS_URL: url("status-hub"),
    LOG_URL: url("log"),
    OPS_URL: url("ops"),
    NOTIFICATION_PORT: new URL(url("notification")).port,
  };
  return runCommand(process.execPath, [main, ...args], { env });
}

const unknownOrder = `ORD-${"0".repeat(26)}`;

/** What a backup of the orders that is older than the rest leaves behind: a charge and a sale for an order that there is not. */
async function forgetAnOrder(): Promise<void> {
  await rowsOf(
    shop.databaseUrl,
    `insert into inventory.reservation (reservation_id, lines, status)
     values ('${unknownOrder}', '[{"productId": "espresso-beans", "quantity": 2}]', 'COMMITTED');
     update inventory.stock set available = available - 2, reserved = reserved + 2 where product_id = 'espresso-beans';
     insert into payment.payment (order_id, user_id, currency_code, amount_minor, status, provider_reference)
     values ('${unknownOrder}', 'u1', 'USD', 500, 'CAPTURED', 'sim_0');
     insert into payment_provider.ledger_entry (charge_id, kind, currency_code, amount_minor)
     values ('${unknownOrder}', 'capture', 'USD', 500)`,
  );
}

describe("smartcart doctor", () => {
  it("finds nothing wrong with a shop that is well", async () => {
    const { stdout } = await smartcart("doctor");
    expect(stdout).toMatch(/^ok {3}queue +on PostgreSQL, no dead letters$/m);
    for (const service of [
      "order",
      "inventory",
      "payment",
      "shipping",
      "notification",
      "log",
      "ops",
    ]) {
      expect(stdout).toMatch(new RegExp(`^ok {3}${service} +ready at http`, "m"));
    }
    expect(stdout).toMatch(/^ok {3}invariants +17 of 17 hold$/m);
  });

  it("says what is wrong and changes nothing, then repairs it with --reconcile", async () => {
    const before = await shop.available("espresso-beans");
    await forgetAnOrder();
    const report = await smartcart("doctor", "--wait", "1");
    expect(report.code).toBe(1);
    expect(report.stdout).toMatch(/^BAD {2}invariants +15 of 17 hold$/m);
    expect(report.stdout).toContain(`order_id=${unknownOrder} state=null kept_minor=500`);
    expect(report.stdout).toContain(
      `"smartcart doctor --reconcile" repairs it: one refund per row`,
    );
    expect(await shop.available("espresso-beans")).toBe(before - 2);

    const repaired = await smartcart("doctor", "--wait", "1", "--reconcile");
    expect(repaired.stdout).toMatch(/^ok {3}invariants +15 of 17 hold, 2 repaired$/m);
    expect(repaired.stdout).toMatch(new RegExp(`${unknownOrder}.* → release: done`));
    expect(await shop.available("espresso-beans")).toBe(before);
    expect(await contradictions(shop.databaseUrl)).toEqual({});
    expect((await smartcart("doctor")).stdout).toMatch(/17 of 17 hold$/m);
  });

  it("leaves to a person what no row can tell", async () => {
    await rowsOf(shop.databaseUrl, "update orders.orders set total_minor = total_minor + 1");
    const { code, stdout } = await smartcart("doctor", "--wait", "1", "--reconcile");
    expect(code).toBe(1);
    expect(stdout).toContain("money is right: 1");
    expect(stdout).toContain("requires an operator");
    await rowsOf(shop.databaseUrl, "update orders.orders set total_minor = total_minor - 1");
  });

  it("names dead letters, a service that does not answer, and a database that is not durable", async () => {
    await using bus = await openBus({
      databaseUrl: shop.databaseUrl,
      name: "test",
      log: silentLogger,
    });
    const poison = createEvent(OrderPlacedSchema, create(OrderPlacedSchema), { id: "poison" });
    await bus.publish([{ ...poison, body: Buffer.from("not protobuf") }]);
    await waitFor(async () => (await bus.deadLetters("orders").count()) === 1);
    const log = shop.urls.log;
    Object.assign(shop.urls, { log: "http://127.0.0.1:9" });
    const { code, stdout } = await smartcart("doctor");
    Object.assign(shop.urls, { log });
    expect(stdout).toMatch(
      /^BAD {2}queue .*1 in orders\.dlq; "smartcart dlq list" shows the reasons/m,
    );
    expect(stdout).toMatch(/^BAD {2}log +does not respond at http:\/\/127\.0\.0\.1:9/m);
    // The databases of tests need not outlive the machine.
    expect(stdout).toMatch(/^BAD {2}database .*fsync.* off.*switch it on$/m);
    expect(code).toBe(1);
  });

  it("prints one JSON document with --json, and the names of failed checks for the person", async () => {
    await rowsOf(shop.databaseUrl, "update orders.orders set total_minor = total_minor + 1");
    const { code, stdout, stderr } = await smartcart("doctor", "--wait", "1", "--json");
    await rowsOf(shop.databaseUrl, "update orders.orders set total_minor = total_minor - 1");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Failed: .*invariants\.\n$/);
    const { healthy, checks, violations } = JSON.parse(stdout);
    expect(healthy).toBe(false);
    expect(checks.find(({ name }: { name: string }) => name === "inventory")).toMatchObject({
      ok: true,
    });
    const violation = violations.find(
      ({ invariant }: { invariant: string }) => invariant === "money is right",
    );
    expect(violation).toMatchObject({ rows: [{}], repairs: [] });
  });
});
