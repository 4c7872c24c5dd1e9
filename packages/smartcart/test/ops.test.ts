/** The operations console of a whole SmartCart: what it shows, what it repairs, and what it breaks on purpose. */

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEvent, openBus } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { EdgeKind, ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import { InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";
import { silentLogger } from "@smartcart/runtime";
import { runCommand, waitFor } from "@smartcart/testkit";
import { buildPage } from "../src/web/build-page.ts";
import type { Console } from "./console-client.ts";
import { createConsoleClient } from "./console-client.ts";
import { rowsOf } from "./invariants.ts";
import { seedBody, startStack, wholeLife } from "./stack.ts";

const services = ["order", "inventory", "payment", "notification", "shipping", "status-hub", "log"];

/** Where an order comes through, in no order: the last ones overtake one another. */
const wayOfAnOrder = [
  "client→order",
  "order→inventory",
  "order→payment",
  "notification→queue",
  "queue→shipping",
  "shipping→queue",
  "queue→order",
  "queue→status-hub",
];

let shop: Awaited<ReturnType<typeof startStack>>;
let ops: Console;
beforeAll(async () => {
  // Services authenticate to each other, while operators need no token.
  const MESH_SECRET = "a-secret-of-the-services";
  const env = { OPS_CHECK_INTERVAL_MS: "200", OPS_BROKEN_AFTER_MS: "5000", MESH_SECRET };
  shop = await startStack({ env });
  ops = createConsoleClient(shop.urls.ops ?? "");
});
afterAll(() => shop?.[Symbol.asyncDispose]());

function edge({ edges }: MeshSnapshot, from: string, to: string) {
  return edges.find((one) => one.from === from && one.to === to);
}

function health({ services }: MeshSnapshot, service: string): ServiceHealth | undefined {
  return services.find((one) => one.service === service)?.health;
}

async function problemOf(answer: Promise<unknown>) {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => ConnectError.from(reason),
  );
  return { code: error?.code, problem: error?.findDetails(ProblemSchema)[0]?.code };
}

describe("the mesh", () => {
  it("is shown with all services, ready, in the order in which an order meets them", async () => {
    const snapshot = await ops.snapshot("every service ready", (one) =>
      services.every((service) => health(one, service) === ServiceHealth.READY),
    );
    expect(snapshot.services.map(({ service }) => service)).toEqual(services);
    expect(snapshot.services.every(({ processes }) => processes === 1)).toBe(true);
    expect(snapshot.queues.map(({ queue }) => queue)).toEqual(["logs", "orders", "shipments"]);
  });

  it("lights up as an order passes: edges with rates and times, and the order itself", async () => {
    const passed = new Set<string>();
    const watching = Promise.withResolvers<void>();
    let orderId = "";
    let hasRates = false;
    // One stream for all of it: events between two streams would be in neither.
    const snapshot = ops.snapshot("an order on its way, up to the hub", (one) => {
      watching.resolve();
      for (const { orderId, from, to } of one.hops) passed.add(`${orderId} ${from}→${to}`);
      const calls = ["inventory", "payment"].map((to) => edge(one, "order", to));
      hasRates ||= calls.every((call) => (call?.ratePerSecond ?? 0) > 0 && (call?.p99Ms ?? 0) > 0);
      return hasRates && wayOfAnOrder.every((way) => passed.has(`${orderId} ${way}`));
    });
    await watching.promise;
    // The subscription starts shortly after a console is open: orders before that are not drawn.
    await waitFor(
      async () => {
        await shop.place(seedBody);
        return passed.size > 0;
      },
      { what: "a first order on the map" },
    );
    ({ orderId } = (await shop.place(seedBody)).body);
    const { edges } = await snapshot;
    expect(edges.find(({ from, to }) => from === "client" && to === "order")).toMatchObject({
      kind: EdgeKind.CALL,
    });
    // A call between services is reported by its caller only, so it is not also one from outside.
    expect(edges.find(({ from, to }) => from === "client" && to === "payment")).toBeUndefined();
    const calm = await ops.snapshot(
      "calm",
      (one) => edge(one, "order", "payment")?.ratePerSecond === 0,
    );
    expect(edge(calm, "notification", "queue")?.kind).toBe(EdgeKind.MESSAGE);
  });

  it("tells the whole story of an order: no service turns the console away", async () => {
    const { orderId } = (await shop.place(seedBody)).body;
    const path = `${shop.urls.ops}/smartcart.ops.v1.OpsService/GetOrderStory`;
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ orderId });
    type Story = { shipment?: object; unavailable?: string[] };
    const readStory = async () => {
      const answer = await fetch(path, { method: "POST", headers, body });
      const { story = {} } = (await answer.json()) as { story?: Story };
      return story;
    };
    const story = await waitFor(
      async () => {
        const told = await readStory();
        return (told.shipment ?? told.unavailable) && told;
      },
      { what: "the story of a shipped order" },
    );
    expect(story).toMatchObject({ payment: { orderId, status: "PAYMENT_STATUS_CAPTURED" } });
    expect(story.unavailable ?? []).toEqual([]);
  });

  it("is remembered for consoles that open later", async () => {
    for await (const { snapshots } of ops.client.watchMesh({ backlogSeconds: 300 })) {
      expect(snapshots.length).toBeGreaterThan(1);
      const times = snapshots.map(({ takenAt }) => Number(takenAt?.seconds ?? 0n));
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      break;
    }
  });

  it("can be asked by a client that knows nothing of it", async () => {
    const { code, stdout, stderr } = await runCommand("npx", [
      ...["buf", "curl", "--http2-prior-knowledge", "-d", "{}"],
      `${shop.urls.ops}/smartcart.ops.v1.OpsService/ListDeadLetters`,
    ]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({});
  });
});

describe("dead letters", () => {
  it("are counted, listed with their message decoded, put back with progress, and dropped", async () => {
    await using bus = await openBus({
      databaseUrl: shop.databaseUrl,
      name: "test",
      log: silentLogger,
    });
    // Shipping takes no order whose id is too long.
    const longIds = ["1", "2", "3"].map((digit) => `ORD-${digit.repeat(70)}`);
    const events = longIds.map((orderId) =>
      createEvent(OrderPlacedSchema, create(OrderPlacedSchema, { orderId, userId: "u1" }), {
        id: `${orderId}:placed`,
        traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      }),
    );
    await bus.publish(events);
    const deadOf = ({ queues }: MeshSnapshot) =>
      queues.find(({ queue }) => queue === "orders")?.deadLetters;
    await ops.snapshot("three dead letters", (one) => deadOf(one) === 3n);

    const { deadLetters, queues } = await ops.client.listDeadLetters({});
    expect(queues).toMatchObject([{ queue: "orders", deadLetters: 3n }]);
    expect(deadLetters.map(({ messageId }) => messageId).sort()).toEqual(
      events.map(({ id }) => id),
    );
    const [letter] = deadLetters.filter(({ orderId }) => orderId === longIds[0]);
    expect(letter).toMatchObject({ queue: "orders", traceId: "a".repeat(32), attempts: 1 });
    expect(letter?.reason).toContain("at most 64 characters");
    expect(JSON.parse(letter?.messageJson ?? "")).toEqual({
      orderId: longIds[0],
      userId: "[redacted]",
    });

    const progress: string[] = [];
    const selection = { queue: "orders" };
    const told = ops.client.redriveDeadLetters({ selection, limit: 2, maxPerSecond: 2 });
    for await (const { progress: { done, total } = { done: 0n, total: 0n } } of told) {
      progress.push(`${done}/${total}`);
    }
    expect(progress).toEqual(["0/2", "1/2", "2/2"]);
    // Shipping takes them as little as before.
    await waitFor(async () => (await bus.deadLetters("orders").count()) === 3);

    const messageIds = [events[1]?.id ?? ""];
    for await (const _ of ops.client.dropDeadLetters({
      selection: { queue: "orders", messageIds },
    }));
    const left = (await ops.client.listDeadLetters({ queue: "orders" })).deadLetters;
    expect(left.map(({ orderId }) => orderId).sort()).toEqual([longIds[0], longIds[2]]);
    for await (const _ of ops.client.dropDeadLetters({ selection }));
    await ops.snapshot("no dead letters", (one) => deadOf(one) === 0n);
  });

  it("of a queue that there is not are refused", async () => {
    const answer = ops.client.listDeadLetters({ queue: "parcels" });
    expect(await problemOf(answer)).toEqual({ code: Code.NotFound, problem: "QUEUE_NOT_FOUND" });
  });
});

describe("invariants", () => {
  it("are kept, then unsettled, then broken, and kept again once they are repaired", async () => {
    const name = "no orphan hold";
    await ops.invariant(name, ({ state }) => state === InvariantState.HOLDS);
    const unsettled = ops.invariant(name, ({ state }) => state === InvariantState.PENDING);
    const before = await shop.available("espresso-beans");
    const unknownOrder = `ORD-${"0".repeat(26)}`;
    await rowsOf(
      shop.databaseUrl,
      `with hold as (
         insert into inventory.reservation (reservation_id, lines, status, expires_at)
         values ('${unknownOrder}', '[{"productId": "espresso-beans", "quantity": 2}]', 'HELD', now() + interval '1 day'))
       update inventory.stock set available = available - 2, reserved = reserved + 2 where product_id = 'espresso-beans'`,
    );
    expect((await unsettled).rowCount).toBe(1n);
    const broken = await ops.invariant(name, ({ state }) => state === InvariantState.VIOLATED);
    expect(broken.isRepairable).toBe(true);
    expect(broken.rowsJson.map((row) => JSON.parse(row))).toMatchObject([
      { order_id: unknownOrder },
    ]);

    const { repairs, invariants } = await ops.client.reconcile({});
    expect(repairs).toMatchObject([
      { invariant: name, orderId: unknownOrder, action: "release", problem: "" },
    ]);
    expect(invariants.find((one) => one.name === name)?.state).toBe(InvariantState.HOLDS);
    expect(await shop.available("espresso-beans")).toBe(before);
  });
});

describe("demo mode", () => {
  it("declines payments, and mends", async () => {
    const { faultSwitch: on } = await ops.turn("payment", "decline", 1);
    expect(on).toMatchObject({ service: "payment", name: "decline", value: 1n, max: 1n });
    const declined = await shop.place(seedBody);
    expect(declined.status).toBe(402);
    await ops.snapshot("the switch", ({ faultSwitches }) =>
      faultSwitches.some(({ service, value }) => service === "payment" && value === 1n),
    );
    await ops.turn("payment", "decline", 0);
    expect((await shop.place(seedBody)).status).toBe(201);
  });

  it("stops shipping: orders wait in the queue, none is given up, and all go on", async () => {
    await ops.turn("shipping", "stop", 1);
    const { orderId } = (await shop.place(seedBody)).body;
    const snapshot = await ops.snapshot("an order that waits, and for how long", ({ queues }) =>
      queues.some(
        ({ queue, waiting, oldestMs = 0n }) =>
          queue === "orders" && waiting >= 1n && oldestMs >= 500n,
      ),
    );
    expect(snapshot.queues.find(({ queue }) => queue === "orders")).toMatchObject({
      retrying: 0n,
      deadLetters: 0n,
    });
    await ops.snapshot("the order as confirmed", ({ orders }) =>
      orders.some(({ state, count }) => state === "CONFIRMED" && count >= 1n),
    );
    await ops.turn("shipping", "stop", 0);
    expect(await shop.history(orderId, "Shipped")).toEqual(wholeLife);
  });

  it("slows shipping", async () => {
    await ops.turn("shipping", "delay", 10_000);
    const { orderId } = (await shop.place(seedBody)).body;
    // This one, not an order of the test before that is still on its way.
    await shop.history(orderId, "Shipping Started");
    await ops.snapshot("an order that waits for its parcel", ({ orders }) =>
      orders.some(({ state }) => state === "SHIPPING"),
    );
    await ops.turn("shipping", "delay", 0);
    const [shipment] = await rowsOf<{ seconds: string }>(
      shop.databaseUrl,
      `select extract(epoch from due_at - started_at) as seconds from shipping.shipment where order_id = '${orderId}'`,
    );
    expect(Number(shipment?.seconds)).toBeCloseTo(10.1, 1);
    await rowsOf(
      shop.databaseUrl,
      `update shipping.shipment set due_at = now() where order_id = '${orderId}' and status = 'STARTED'`,
    );
    await shop.history(orderId, "Shipped");
  });

  it("cuts the queue: events wait in the outbox, the service says so, and all is told in the end", async () => {
    await ops.turn("notification", "cut", 1);
    await ops.snapshot(
      "notification not ready",
      (one) => health(one, "notification") === ServiceHealth.NOT_READY,
    );
    const { status, body } = await shop.place(seedBody);
    expect(status).toBe(201);
    await ops.snapshot("events that wait", ({ services }) =>
      services.some(({ service, gauges }) =>
        gauges.some(
          ({ name, value }) =>
            service === "notification" && name === "outbox.pending" && value > 0n,
        ),
      ),
    );
    await ops.turn("notification", "cut", 0);
    expect(await shop.history(body.orderId, "Shipped")).toEqual(wholeLife);
    await ops.snapshot(
      "notification ready",
      (one) => health(one, "notification") === ServiceHealth.READY,
    );
  });

  it("places orders as fast as it is told to", async () => {
    await ops.turn("ops", "load", 20);
    const placed = async () => {
      const rows = await rowsOf<{ count: number }>(
        shop.databaseUrl,
        "select count(*)::int as count from orders.orders where user_id like 'load-%'",
      );
      return rows[0]?.count ?? 0;
    };
    await waitFor(async () => (await placed()) >= 20, { what: "orders", timeoutMs: 45_000 });
    await ops.turn("ops", "load", 0);
    await ops.snapshot("rest", (one) => one.orders.length === 0);
  });

  it("has no other faultSwitches", async () => {
    const answers = await Promise.all(
      [
        ops.turn("payment", "explode", 1),
        ops.turn("moon", "stop", 1),
        ops.turn("shipping", "delay", 10_001),
      ].map(problemOf),
    );
    expect(answers).toEqual([
      { code: Code.NotFound, problem: "SWITCH_NOT_FOUND" },
      { code: Code.NotFound, problem: "SWITCH_NOT_FOUND" },
      { code: Code.InvalidArgument, problem: "SWITCH_OUT_OF_RANGE" },
    ]);
  });
});

describe("a SmartCart without demo mode and with a token", () => {
  it("has no faultSwitches, and lets in only who bears the token", async () => {
    const token = "a-token-of-the-operator";
    await using other = await startStack({
      // The services report to the console only, by a secret that the process makes for them.
      env: { SMARTCART_DEMO: "0", OPS_TOKEN: token },
      page: await buildPage(),
    });
    // By the page's own origin, as the page calls it.
    const url = other.urls.web ?? "";
    const stranger = createConsoleClient(url);
    const refused = { code: Code.Unauthenticated, problem: "SIGN_IN_NEEDED" };
    expect(await problemOf(stranger.client.listDeadLetters({}))).toEqual(refused);
    expect(await problemOf(stranger.client.reconcile({}))).toEqual(refused);
    expect(await problemOf(stranger.snapshot("anything", () => true))).toEqual(refused);
    expect(
      await problemOf(createConsoleClient(url, "another-token-a-wrong-one").turn("ops", "load", 1)),
    ).toEqual({ code: Code.Unauthenticated, problem: "TOKEN_INVALID" });

    const operator = createConsoleClient(url, token);
    const { faultSwitches } = await operator.snapshot(
      "ready",
      (one) => health(one, "order") === ServiceHealth.READY,
    );
    expect(faultSwitches).toEqual([]);
    // A stream comes through as it is written.
    let answers = 0;
    for await (const _ of operator.client.watchMesh({}, { headers: operator.headers })) {
      if (++answers === 3) break;
    }
    expect(await problemOf(operator.turn("payment", "decline", 1))).toEqual({
      code: Code.FailedPrecondition,
      problem: "DEMO_OFF",
    });
  });
});
