/** A database that takes no more connections, or is read-only after a failover: every service says 503 and when to try again. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import {
  createTestDatabase,
  freePorts,
  runCommand,
  skipPgBouncer,
  startPgBouncer,
  waitFor,
} from "@smartcart/testkit";
import { rowsOf } from "./invariants.ts";
import { seedBody, startStack, wholeLife } from "./stack.ts";

/** A role that owns nothing and may no more than it has to, since superusers are never refused. */
async function createShopRole(url: string) {
  const role = `shop_${process.pid}_${Date.now()}`;
  const database = new URL(url).pathname.slice(1);
  await rowsOf(url, `create role ${role} login password 'pencil'`);
  await rowsOf(url, `grant create on database ${database} to ${role}`);
  const own = new URL(url);
  own.username = role;
  own.password = "pencil";
  return {
    url: own.href,
    /** As of now, for new and for open connections. */
    async alter(change: string) {
      await rowsOf(url, `alter role ${role} ${change}`);
      await rowsOf(
        url,
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`,
      );
    },
    async [Symbol.asyncDispose]() {
      await rowsOf(url, `drop owned by ${role} cascade`);
      await rowsOf(url, `drop role ${role}`);
    },
  };
}

it("is 503 in every service while it is full or read-only, and 201 afterwards", async () => {
  await using database = await createTestDatabase();
  await using role = await createShopRole(database.url);
  await using shop = await startStack({ env: { DATABASE_URL: role.url } });
  const placed = await shop.place(seedBody);
  expect(placed.status).toBe(201);
  const { orderId } = placed.body;
  await shop.history(orderId, "Shipped");

  const call = (service: string, method: string, body: object) =>
    fetch(`${shop.urls[service]}/smartcart.${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const reads = () => [
    call("inventory", "inventory.v1.InventoryService/ListProducts", {}),
    call("inventory", "inventory.v1.InventoryService/CheckStock", {
      productId: "espresso-beans",
      quantity: 1,
    }),
    call("payment", "payment.v1.PaymentService/GetPayment", { orderId }),
    call("shipping", "shipping.v1.ShippingService/GetShipment", { orderId }),
    call("log", "log.v1.LogService/SearchLogs", {}),
    fetch(`${shop.urls.order}/orders/${orderId}`),
    fetch(`${shop.urls.order}/orders/${orderId}/events`),
    fetch(`${shop.urls.order}/orders?userId=u1`),
  ];
  const writes = () => [
    fetch(`${shop.urls.order}/placeOrder`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(seedBody),
    }),
    call("inventory", "inventory.v1.InventoryService/ReleaseReservation", { reservationId: "r1" }),
    call("shipping", "shipping.v1.ShippingService/CancelShipment", { orderId: "ORD-none" }),
  ];
  const expect503 = async (answers: Promise<Response>[]) => {
    for (const answer of await Promise.all(answers)) {
      const text = await answer.text();
      expect([answer.status, text], answer.url).toEqual([503, expect.any(String)]);
      if (answer.url.includes("/smartcart.")) expect(text).toContain('"code":"unavailable"');
      else expect(Number(answer.headers.get("retry-after")), answer.url).toBeGreaterThan(0);
    }
  };
  const recovers = () =>
    waitFor(async () => (await shop.place(seedBody)).status === 201, {
      what: "an order to be placed",
      timeoutMs: 20_000,
    });

  await role.alter("connection limit 0");
  await sleep(100);
  await expect503([...reads(), ...writes()]);
  await role.alter("connection limit -1");
  await recovers();

  await role.alter("set default_transaction_read_only = on");
  await sleep(100);
  await expect503(writes());
  for (const answer of await Promise.all(reads())) expect([200, 503]).toContain(answer.status);
  await role.alter("reset default_transaction_read_only");
  await recovers();
});

it("is one line from a tool, which does not wait as a service does", async () => {
  const [port] = await freePorts(1);
  const main = new URL("../src/main.ts", import.meta.url).pathname;
  const { code, stderr } = await runCommand(process.execPath, [main, "dlq", "list"], {
    env: { DATABASE_URL: `postgres://shop:pencil@127.0.0.1:${port}/shop` },
  });
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^No response[^\n]*DATABASE_URL[^\n]*\n$/),
  ]);
});

it.skipIf(skipPgBouncer())("runs behind PgBouncer in session mode", async () => {
  await using database = await createTestDatabase();
  await using bouncer = await startPgBouncer({ target: database.url, poolMode: "session" });
  await using shop = await startStack({ env: { DATABASE_URL: bouncer.url } });
  const { status, body } = await shop.place(seedBody);
  expect(status).toBe(201);
  expect(await shop.history(body.orderId, "Shipped")).toEqual(wholeLife);
});
