/** After a whole life of orders, personal data and secrets are found nowhere that they do not belong. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBus } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { canTestRabbitmq, waitFor } from "@smartcart/testkit";
import type { Marked } from "./marked-values.ts";
import { marks, marksIn, startMarked } from "./marked-values.ts";
import { cli } from "./run-cli.ts";

const engines = ["postgres", ...((await canTestRabbitmq()) ? ["rabbitmq"] : [])] as const;

describe.each(engines)("marked values with the queue on %s", { timeout: 180_000 }, (engine) => {
  let shop: Marked;
  /** All answers to those who may not see what they sent, or who sent what is refused. */
  const answers: string[] = [];

  beforeAll(async () => {
    shop = await startMarked(engine as "postgres" | "rabbitmq");
    await live(shop, answers);
    await die(shop, answers);
  }, 180_000);
  afterAll(() => shop?.[Symbol.asyncDispose]());

  const expectClean = (place: string, text: string) => {
    expect(text, `${place} is empty`).not.toBe("");
    expect(marksIn(text, shop.marks), place).toEqual([]);
  };

  it("were logged, and what was logged is without them: output, log table, shipping.log", async () => {
    const output = shop.whole.output();
    for (const event of [
      "rpc.failed",
      "bus.handler_failed",
      "bus.dead_letter",
      "shipping.started",
    ]) {
      expect(output).toContain(event);
    }
    expectClean("standard output", output);
    const rows = await waitFor(
      async () => {
        const found = JSON.stringify(await shop.sql("select l::text from log.log_record l"));
        return found.includes("bus.dead_letter") && found;
      },
      { what: "the log to be stored" },
    );
    expectClean("log table", rows);
    expectClean("shipping.log", await readFile(join(shop.state, "shipping.log"), "utf8"));
  });

  it("are in no metrics, spans, documents and assets of any port", async () => {
    for (const [service, url] of Object.entries(shop.whole.urls)) {
      for (const path of ["/metrics", "/readyz", "/healthz", "/nothing"]) {
        expectClean(`${service}${path}`, await textOf(`${url}${path}`));
      }
    }
    const { order = "", web = "" } = shop.whole.urls;
    for (const path of ["/openapi.json", "/asyncapi.json", "/docs"]) {
      expectClean(path, await textOf(`${order}${path}`));
    }
    const page = await textOf(web);
    const assets = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
    for (const path of ["/", "/auth/config", ...assets]) {
      expectClean(`page ${path}`, await textOf(`${web}${path}`));
    }
    await waitFor(() => shop.spans().includes("PlaceOrder"), { what: "spans to be exported" });
    expectClean("spans", shop.spans());
  });

  it("are in nothing that an operator lists: dead letters, log, invariants, mesh", async () => {
    const letters = await operatorCall(shop, "ops.v1.OpsService/ListDeadLetters", {});
    expect(JSON.parse(letters).deadLetters.length).toBeGreaterThanOrEqual(3);
    expectClean("ListDeadLetters", letters);
    expectClean(
      "SearchLogs",
      await operatorCall(shop, "log.v1.LogService/SearchLogs", { pageSize: 1000 }),
    );
    expectClean("Reconcile", await operatorCall(shop, "ops.v1.OpsService/Reconcile", {}));
  });

  it("are in no output of the tools", async () => {
    const commands = [
      ["dlq", "list"],
      ["dlq", "show", "orders", "foreign", "cut", "text"],
      ["dlq", "show", "orders", "foreign", "--json"],
      ["doctor", "--wait", "1"],
    ];
    for (const args of commands) {
      const { stdout, stderr } = await cli(args, shop.env);
      expectClean(`smartcart ${args.join(" ")}`, stdout + stderr);
    }
  });

  it("are in no answer to a request that is refused", () => {
    expect(answers.length).toBeGreaterThan(15);
    for (const answer of answers) expectClean(answer.slice(0, 200), answer);
  });

  it("are in no file of the state folder but the note for the tools", async () => {
    const entries = await readdir(shop.state, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((one) => one.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const found = marksIn(await readFile(path, "latin1"), shop.marks);
      // It tells the tools how to reach the queue and prove who they are; only its owner may read it.
      const allowed = entry.name === "running.json" ? ["MESH_SECRET", "password of AMQP_URL"] : [];
      expect(
        found.filter((name) => !allowed.includes(name)),
        path,
      ).toEqual([]);
    }
  });

  it("are found by this search where they belong", async () => {
    const row = JSON.stringify(await shop.sql("select o::text from orders.orders o"));
    expect(marksIn(row, shop.marks)).toEqual(expect.arrayContaining(["address", "user"]));
  });
});

async function whole(response: Response) {
  const headers = JSON.stringify([...response.headers]);
  return { status: response.status, headers, text: await response.text() };
}

async function textOf(url: string): Promise<string> {
  return Object.values(await whole(await fetch(url))).join(" ");
}

async function operatorCall(shop: Marked, method: string, body: object): Promise<string> {
  const base = method.startsWith("log.") ? shop.whole.urls.log : shop.whole.urls.ops;
  const response = await fetch(`${base}/smartcart.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${marks.OPS_TOKEN}` },
    body: JSON.stringify(body),
  });
  expect(response.status, method).toBe(200);
  return response.text();
}

function orderOf(change: object = {}): object {
  const items = [{ productId: "espresso-beans", quantity: 1 }];
  return { userId: marks.user, address: marks.address, items, ...change };
}

/** Orders that succeed, are rejected and cancelled; requests that are refused in every way. */
async function live(shop: Marked, answers: string[]): Promise<void> {
  const { order = "", web = "" } = shop.whole.urls;
  const authorization = `Bearer ${shop.customerToken}`;
  const headers = { "content-type": "application/json", authorization };
  const send = (path: string, body: string, more: object = {}) =>
    fetch(`${order}${path}`, { method: "POST", headers: { ...headers, ...more }, body });
  const place = (change?: object) => send("/placeOrder", JSON.stringify(orderOf(change)));
  const placed = await (await place()).json();
  await waitFor(async () => {
    const response = await fetch(`${order}/orders/${placed.orderId}`, { headers });
    return (await response.json()).status === "SHIPPED";
  });
  const cancelled = await (await place()).json();
  await send(`/orders/${cancelled.orderId}/cancel`, "{}");
  const refused = async (response: Promise<Response>) => {
    const { status, headers: own, text } = await whole(await response);
    expect(status, text).toBeGreaterThanOrEqual(400);
    answers.push(`${status} ${own} ${text}`);
  };
  await refused(place({ paymentToken: marks["payment token"] }));
  await refused(place({ items: [{ productId: "copper-moka-pot", quantity: 9 }] }));
  await refused(place({ address: marks["address that breaks a rule"] }));
  await refused(place({ address: marks.address.padEnd(600, "x") }));
  await refused(place({ paymentToken: `${marks["payment token"]}\n` }));
  await refused(place({ paymentToken: { of: marks["payment token"] } }));
  await refused(place({ userId: `${marks.user} of Markville` }));
  await refused(send("/placeOrder", JSON.stringify(orderOf()).slice(0, -30)));
  await refused(send("/placeOrder", `"${marks.address}"`));
  await refused(
    send("/placeOrder", JSON.stringify(orderOf()), { authorization: `${authorization}x` }),
  );
  await refused(fetch(`${order}/orders?userId=${marks.user}`));
  await refused(fetch(`${web}/orders?userId=${marks.user}&pageSize=x`, { headers }));
  const rpc = `${order}/smartcart.order.v1.OrderService/PlaceOrder`;
  for (const type of ["application/json", "application/proto", "application/grpc-web+proto"]) {
    const body = JSON.stringify(orderOf({ address: marks.address.padEnd(600, "x") }));
    const response = await fetch(rpc, {
      method: "POST",
      headers: { ...headers, "content-type": type },
      body,
    });
    // gRPC-Web refuses with 200 and trailers.
    answers.push(Object.values(await whole(response)).join(" "));
  }
}

/** A database that quotes what it refuses, a handler that crashes on it, and messages that break the contract. */
async function die(shop: Marked, answers: string[]): Promise<void> {
  const { order = "" } = shop.whole.urls;
  await shop.sql(`create function orders.refuse() returns trigger language plpgsql as
    $$ begin raise exception 'no way to % of %', new.address, new.user_id; end $$`);
  await shop.sql(
    "create trigger refuse before insert on orders.orders for each row execute function orders.refuse()",
  );
  const response = await fetch(`${order}/placeOrder`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${shop.customerToken}` },
    body: JSON.stringify(orderOf()),
  });
  expect(response.status).toBe(500);
  answers.push(await response.text());
  await shop.sql("drop function orders.refuse cascade");

  const { amqpUrl, env } = shop;
  await using bus = await openBus({
    ...{ amqpUrl, databaseUrl: env.DATABASE_URL ?? "", name: "test", log: silentLogger },
  });
  await shop.sql(`create function shipping.refuse() returns trigger language plpgsql as
    $$ begin raise exception 'no way to ${marks.address} of ${marks.user}'; end $$`);
  await shop.sql(
    "create trigger refuse before insert on shipping.shipment for each row execute function shipping.refuse()",
  );
  const message = create(OrderPlacedSchema, {
    orderId: "ORD-crash",
    userId: marks.user,
    address: marks.address,
  });
  const base = {
    type: OrderPlacedSchema.typeName,
    routingKey: "order.placed",
    orderingKey: "",
    traceparent: "",
  };
  const body = toBinary(OrderPlacedSchema, message);
  await bus.publish([{ ...base, id: "crashed", body }]);
  await waitFor(() => shop.whole.output().includes("bus.handler_failed"), {
    what: "the handler to crash",
  });
  await shop.sql("drop function shipping.refuse cascade");
  const invalid = create(OrderPlacedSchema, {
    ...{ orderId: "ORD-invalid", userId: marks.user, address: marks.address },
    items: [{ productId: "mug", name: "Mug", quantity: -1 }],
  });
  await bus.publish([
    { ...base, id: "foreign", body: toBinary(OrderPlacedSchema, invalid) },
    { ...base, id: "cut", body: body.subarray(0, -3) },
    { ...base, id: "text", body: Buffer.from(JSON.stringify(orderOf())) },
  ]);
  await waitFor(async () => (await bus.deadLetters("orders").count()) >= 3, {
    what: "dead letters",
  });
}
