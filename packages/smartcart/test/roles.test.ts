/** Each service under a role and a user of its own: the shop works, and no service reaches the data of another. */
import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEvent, openBus } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { canTestRabbitmq, createTestBroker, createTestDatabase } from "@smartcart/testkit";
import type { ServiceUrls } from "../src/credentials/service-roles.ts";
import { createRoles } from "../src/credentials/service-roles.ts";
import { dropRoles } from "./drop-roles.ts";
import { startServices } from "./services.ts";
import { seedBody, wholeLife } from "./stack.ts";

const hasRabbitmq = await canTestRabbitmq();

describe.each([
  ["on PostgreSQL", false],
  ["on RabbitMQ", true],
])("with the queue %s", (_, onRabbitmq) => {
  describe.skipIf(onRabbitmq && !hasRabbitmq)("each service has its own", () => {
    const stack = new AsyncDisposableStack();
    // Roles belong to the whole server, which other tests use at the same time.
    const prefix = `t${randomBytes(4).toString("hex")}`;
    let urls: Readonly<Record<string, ServiceUrls>>;
    let running: Awaited<ReturnType<typeof startServices>>;

    beforeAll(async () => {
      const database = stack.use(await createTestDatabase());
      const broker = onRabbitmq ? stack.use(await createTestBroker()) : undefined;
      const o = { databaseUrl: database.url, broker, prefix, passwords: {}, log: silentLogger };
      await createRoles(o);
      // Once more: it changes nothing but the passwords, which are made anew.
      urls = await createRoles(o);
      stack.defer(() => dropRoles(database.url, prefix));
      const connections = (name: string) => ({
        databaseUrl: urls[name]?.DATABASE_URL ?? "",
        amqpUrl: urls[name]?.AMQP_URL,
      });
      running = stack.use(await startServices({ without: [], connections }));
    });
    afterAll(() => stack[Symbol.asyncDispose]());

    test("an order goes its whole way, and another one back", async () => {
      const { body } = await running.place(seedBody);
      expect(await running.history(body.orderId, "Shipped")).toEqual(wholeLife);
      const declined = await running.place({ ...seedBody, paymentToken: "tok_declined" });
      expect(declined.status).toBe(402);
      expect((await running.products()).length).toBeGreaterThan(3);
    });

    const schemas = [
      "orders",
      "inventory",
      "payment",
      "payment_provider",
      "shipping",
      "log",
      "ops",
    ];
    test.each([
      ["order", ["orders"]],
      ["inventory", ["inventory"]],
      ["payment", ["payment", "payment_provider"]],
      ["shipping", ["shipping"]],
      ["notification", []],
      ["status-hub", []],
      ["log", ["log"]],
      ["ops", ["ops"]],
    ])("%s changes nothing but %j", async (service, own) => {
      const url = urls[service]?.DATABASE_URL ?? "";
      await using database = createDatabase({ url, schema: "public", log: silentLogger });
      const attempt = (text: string) =>
        database.query({ text }).then(
          () => "done",
          (error: unknown) => (error as { code: string }).code,
        );
      for (const schema of schemas) {
        const outcome = await attempt(`create table ${schema}.mine (); drop table ${schema}.mine`);
        expect(`${schema} ${outcome}`).toBe(`${schema} ${own.includes(schema) ? "done" : "42501"}`);
      }
      for (const table of [
        "orders.orders",
        "payment.payment",
        "inventory.stock",
        "shipping.shipment",
      ]) {
        const [schema = ""] = table.split(".");
        const reads = own.includes(schema) || service === "ops";
        expect(`${table} ${await attempt(`select from ${table}`)}`).toBe(
          `${table} ${reads ? "done" : "42501"}`,
        );
        if (!own.includes(schema)) expect(await attempt(`delete from ${table}`)).toBe("42501");
      }
      expect(await attempt("create table public.mine ()")).toBe("42501");
      expect(await attempt("create role another")).toBe("42501");
    });

    // The queue in the database is everybody's.
    if (!onRabbitmq) return;
    test("a service consumes and publishes what is its own only", async () => {
      const codeOf = (work: Promise<unknown>) =>
        work.then(
          () => "done",
          (error: unknown) => String((error as Error).message),
        );
      const onEvents = async () => ({ kind: "ack" }) as never;
      for (const [service, queue] of [
        ["inventory", "orders"],
        ["shipping", "shipments"],
        ["order", "logs"],
      ] as const) {
        const { DATABASE_URL: databaseUrl, AMQP_URL: amqpUrl } = urls[service] as ServiceUrls;
        await using bus = await openBus({ databaseUrl, amqpUrl, name: service, log: silentLogger });
        const options = { name: service, log: silentLogger, handle: onEvents } as never;
        expect(await codeOf(bus.consume(queue, options))).toMatch(/ACCESS_REFUSED|refused/);
        const forged = createEvent(OrderPlacedSchema, create(OrderPlacedSchema, {}), {
          id: "forged",
        });
        const { confirmed } = await bus.publish([forged], { timeoutMs: 1_000 });
        expect(confirmed).toEqual([]);
      }
    });
  });
});
