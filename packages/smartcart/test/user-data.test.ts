/** `smartcart user`: what is held of a customer, and that nothing is after the erasure, with the books as they were. */
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBus } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { createLogger, silentLogger } from "@smartcart/runtime";
import type { TestBroker } from "@smartcart/testkit";
import {
  canTestRabbitmq,
  createTestBroker,
  makeTemporaryDirectory,
  runCommand,
  waitFor,
} from "@smartcart/testkit";
import { createConsoleClient } from "./console-client.ts";
import { expectConsistent, rowsOf } from "./invariants.ts";
import { cli } from "./run-cli.ts";
import { seedBody, startStack } from "./stack.ts";

const ann = { ...seedBody, userId: "ann.of-markville", address: "9 Erasure Lane, Markville" };
const paymentToken = "tok_ann_markville";
/** Customers whose erasure is killed, by the call after which it is. */
const killed = [1, 2, 3, 4, 5].map((call) => ({
  call,
  order: { ...ann, userId: `killed-${call}.of-markville`, address: `${call} Erasure Lane` },
}));
const bob = { ...seedBody, userId: "bob", address: "10 Other Lane" };
const personal = /of-markville|Erasure Lane/;
const main = new URL("../src/main.ts", import.meta.url).pathname;
const killAtCall = new URL("./kill-at-call.ts", import.meta.url).href;
const opsToken = "token-of-an-operator";
const engines = ["postgres", ...((await canTestRabbitmq()) ? ["rabbitmq"] : [])];

type Stack = Awaited<ReturnType<typeof startStack>>;

/**
 * Every table of the database that holds a row with personal data of the customer. Those of the fan-out are forgotten after a minute,
 * whatever they hold.
 */
async function tablesWithAnn(url: string): Promise<string[]> {
  const tables = await rowsOf<{ name: string }>(
    url,
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'
       and table_name <> 'fanout'`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    // Bytes are shown as hex digits.
    const hex = (text: string) => Buffer.from(text).toString("hex");
    const patterns = ["of-markville", "Erasure Lane", paymentToken].flatMap((text) => [
      text,
      hex(text),
    ]);
    const rows = await rowsOf(
      url,
      `select 1 from ${name} t where ${patterns.map((_, i) => `position($${i + 1} in t::text) > 0`).join(" or ")} limit 1`,
      patterns,
    );
    if (rows.length > 0) found.push(name);
  }
  return found;
}

function askBroker({ managementUrl }: TestBroker) {
  const { origin, username, password } = new URL(managementUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  return async (path: string, body?: object) => {
    const init = body && { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${origin}/api/${path}`, { headers: { authorization }, ...init });
    return (await response.json()) as { name: string; exclusive: boolean; payload: string }[];
  };
}

async function publishUnrouted(broker: TestBroker, body: Uint8Array): Promise<void> {
  const payload = Buffer.from(body).toString("base64");
  const answer = await askBroker(broker)(`exchanges/${broker.vhost}/smartcart.unrouted/publish`, {
    ...{ routing_key: "nobody", properties: {}, payload, payload_encoding: "base64" },
  });
  expect(answer).toEqual({ routed: true });
}

/** Every queue of a virtual host that holds a message with personal data of the customer. */
async function queuesWithAnn(broker: TestBroker): Promise<string[]> {
  const ask = askBroker(broker);
  const { vhost } = broker;
  const found: string[] = [];
  for (const { name, exclusive } of await ask(`queues/${vhost}`)) {
    // Of a listener that takes every message at once; no other consumer may read it.
    if (exclusive) continue;
    const messages = await ask(`queues/${vhost}/${name}/get`, {
      ...{ count: 1_000, ackmode: "ack_requeue_true", encoding: "base64" },
    });
    const bodies = messages.map(({ payload }) => Buffer.from(payload, "base64").toString("latin1"));
    if (bodies.some((body) => personal.test(body))) found.push(name);
  }
  return found;
}

describe.each(engines)("a customer with the queue on %s", { timeout: 120_000 }, (engine) => {
  const running = new AsyncDisposableStack();
  let shop: Stack;
  let broker: TestBroker | undefined;
  let env: Record<string, string>;
  const user = (...args: string[]) => cli(["user", ...args], env);

  beforeAll(async () => {
    broker = engine === "rabbitmq" ? running.use(await createTestBroker()) : undefined;
    const amqpUrl = broker?.amqpUrl;
    const state = running.use(await makeTemporaryDirectory());
    const queue = amqpUrl === undefined ? {} : { AMQP_URL: amqpUrl };
    const secrets = { OPS_TOKEN: opsToken, MESH_SECRET: "a secret of the mesh" };
    const log = createLogger({ service: "smartcart", destination: { write() {} } });
    const demo = { SMARTCART_DEMO: "1" };
    shop = running.use(await startStack({ env: { ...queue, ...secrets, ...demo }, log }));
    const urls = Object.entries(shop.urls).map(([service, url]) => [
      `${service.replace("-hub", "").toUpperCase()}_URL`,
      url,
    ]);
    env = {
      ...Object.fromEntries(urls),
      ...{ DATABASE_URL: shop.databaseUrl, SMARTCART_STATE: state.path, ...queue, ...secrets },
    };
    const { orderId } = (await shop.place(ann, { "idempotency-key": "k-ann" })).body;
    await shop.place({ ...ann, paymentToken });
    await shop.place({ ...ann, items: [{ productId: "copper-moka-pot", quantity: 9 }] });
    await shop.place(bob, { "idempotency-key": "k-bob" });
    await shop.history(orderId, "Shipped");
    const cancelled = (await shop.place(ann)).body;
    await shop.post(`/orders/${cancelled.orderId}/cancel`);
    await waitFor(async () => {
      const { status } = (await shop.get(`/orders/${cancelled.orderId}`)).body;
      return status === "CANCELLED" || status === "SHIPPED";
    });
    await using bus = await openBus({
      ...{ amqpUrl, databaseUrl: shop.databaseUrl, name: "test", log: silentLogger },
    });
    const items = [{ productId: "mug", name: "Mug", quantity: -1 }];
    const event = create(OrderPlacedSchema, { ...ann, orderId, items });
    const base = { type: OrderPlacedSchema.typeName, routingKey: "order.placed", orderingKey: "" };
    const letter = (id: string, about: string) => ({
      ...{ ...base, traceparent: "", id },
      body: toBinary(OrderPlacedSchema, { ...event, orderId: about }),
    });
    // As the broker keeps for people what no queue was bound for.
    if (broker !== undefined) await publishUnrouted(broker, letter("unrouted", orderId).body);
    // The order "gone" was deleted for its age: only the dead letter names its customer.
    await bus.publish([
      ...[letter("dead", orderId), letter("archived", orderId)],
      ...[letter("dead and gone", "gone"), letter("archived and gone", "gone")],
    ]);
    await waitFor(async () => (await bus.deadLetters("orders").count()) === 4);
    const { client, headers } = createConsoleClient(shop.urls.ops ?? "", opsToken);
    const selection = { queue: "orders", messageIds: ["archived", "archived and gone"] };
    for await (const _ of client.archiveDeadLetters({ selection }, { headers }));
    for (const { order } of killed) await shop.place(order);
  }, 120_000);
  afterAll(() => running.disposeAsync());

  it("is exported with all that the services hold", async () => {
    const { code, stdout, stderr } = await user("export", ann.userId, "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const records = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toHaveLength(4);
    for (const { order } of records) {
      expect(order).toMatchObject({ order: { userId: ann.userId, address: ann.address } });
      expect(order.isFinal).toBe(true);
    }
    expect(records.at(-1)).toMatchObject({
      order: { idempotencyKey: "k-ann", order: { status: "SHIPPED" } },
      payment: { userId: ann.userId, status: "PAYMENT_STATUS_CAPTURED" },
      shipment: { status: "SHIPMENT_STATUS_SHIPPED" },
      deadLetters: [{ queue: "orders", id: "dead" }],
    });
    expect(records.at(-1).order.events).toHaveLength(6);
    expect((await user("export", "nobody", "--json")).stdout).toBe("");
  });

  it("can be exported and erased by operators only", async () => {
    const { OPS_TOKEN: _, ...without } = env;
    for (const action of ["export", "erase"]) {
      const { code, stdout, stderr } = await cli(["user", action, ann.userId], without);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/OPS_TOKEN|sign in|token/i);
    }
  });

  it("is not erased while an order is on its way; with --wait once it is shipped", async () => {
    const console_ = createConsoleClient(shop.urls.ops ?? "", opsToken);
    await console_.turn("shipping", "stop", 1);
    await shop.place(ann);
    const refused = await user("erase", ann.userId);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/Nothing was erased: 1 orders .* on their way .*--wait/);
    const erasing = user("erase", ann.userId, "--wait", "60", "--json");
    // As a run that was killed leaves it: payments are erased, and orders are not.
    await rowsOf(
      shop.databaseUrl,
      "update payment.payment set user_id = '' where user_id = $1 and status = 'DECLINED'",
      [ann.userId],
    );
    await console_.turn("shipping", "stop", 0);
    const { code, stdout, stderr } = await erasing;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      orders: 5,
      deadLetters: 2,
      archivedDeadLetters: 2,
      unreadableDeadLetters: 0,
    });
  });

  it.each(killed)(
    "whose erasure was killed after call $call is erased by the next run",
    async ({ call, order }) => {
      const script = [main, "user", "erase", order.userId, "--wait", "60"];
      // Once a step is the same on both queues, which only the dead letters of the first one know.
      if (engine === "postgres") {
        const once = await runCommand(process.execPath, ["--import", killAtCall, ...script], {
          env: { ...env, KILL_AT: `${call}` },
        });
        expect(once).toMatchObject({ code: "SIGKILL", stdout: "" });
      }
      const { code } = await user(...script.slice(2));
      expect(code).toBe(0);
      expect((await user("export", order.userId, "--json")).stdout).toBe("");
    },
  );

  it("is in no table of any service then, and all that is not personal stays", async () => {
    expect(await tablesWithAnn(shop.databaseUrl)).toEqual([]);
    expect(broker && (await queuesWithAnn(broker))).toEqual(broker && []);
    const orders = await rowsOf(
      shop.databaseUrl,
      "select order_id from orders.orders where user_id = '' and address = '[erased]' and total_minor > 0",
    );
    expect(orders).toHaveLength(5 + killed.length);
    const [other] = (await shop.get(`/orders?userId=${bob.userId}`)).body.orders;
    expect(other).toMatchObject({ userId: bob.userId, address: bob.address });
    expect(
      (await shop.place(bob, { "idempotency-key": "k-bob" })).headers.get("idempotency-replayed"),
    ).toBe("true");
    await expectConsistent(shop.databaseUrl);
    const { stdout } = await cli(["doctor", "--wait", "5"], env);
    // The server of the tests is not durable; all else is well.
    const bad = stdout.split("\n").filter((line) => line.startsWith("BAD"));
    expect(bad).toEqual([expect.stringContaining("fsync")]);
  });

  it("is logged without the name, and erased again without effect", async () => {
    expect((await user("erase", ann.userId)).stdout).toBe(
      "Erased: 0 orders, 0 payments, 0 dead letters.\n",
    );
    expect((await user("export", ann.userId)).stderr).toBe("0 orders.\n");
    const logged = async () => {
      const rows = await rowsOf(
        shop.databaseUrl,
        "select t::text from log.log_record t where event in ('user.erased', 'operator.called')",
      );
      const text = JSON.stringify(rows);
      return text.includes("user.erased") && text.includes("BatchEraseOrders") && text;
    };
    expect(await waitFor(logged, { what: "the audit log" })).not.toMatch(personal);
  });
});
