/** `smartcart dlq` against a running stack, as an operator uses it. */
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEvent, openBus } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { createTestDatabase, waitFor } from "@smartcart/testkit";
import { cli } from "./run-cli.ts";

let env: NodeJS.ProcessEnv;
let bus: Awaited<ReturnType<typeof openBus>>;
let refusing = true;
const handled: string[] = [];
const running = new AsyncDisposableStack();

beforeAll(async () => {
  const { url: databaseUrl } = running.use(await createTestDatabase());
  env = { DATABASE_URL: databaseUrl };
  bus = running.use(await openBus({ databaseUrl, name: "test", log: silentLogger }));
  running.use(
    await bus.consume("orders", {
      name: "test",
      log: silentLogger,
      async handle(batch) {
        if (refusing) return batch.map(() => ({ kind: "dead-letter", reason: "no such street" }));
        handled.push(...batch.map(({ id }) => id));
        return batch.map(() => ({ kind: "ack" }));
      },
    }),
  );
  const events = ["ORD-1", "ORD-2", "ORD-3"].map((orderId) =>
    createEvent(OrderPlacedSchema, create(OrderPlacedSchema, { orderId }), {
      id: `${orderId}:placed`,
    }),
  );
  await bus.publish([
    ...events,
    { ...events[0], id: "poison", body: Buffer.from("not protobuf") } as (typeof events)[0] &
      object,
  ]);
  await waitFor(async () => (await bus.deadLetters("orders").count()) === 4);
});
afterAll(() => running.disposeAsync());

const dlq = (...args: string[]) => cli(["dlq", ...args], env);

describe("smartcart dlq", () => {
  it("lists dead letters with their reasons", async () => {
    const { code, stdout } = await dlq("list");
    expect(code).toBe(0);
    expect(stdout).toContain("orders.dlq: 4");
    expect(stdout).toContain("shipments.dlq: 0");
    expect(stdout).toMatch(/ORD-1:placed .*no such street/);
  });

  it("lists them as one JSON document, at most --limit of each queue", async () => {
    const { stdout, stderr } = await dlq("list", "--json", "--limit", "2");
    expect(stderr).toBe("");
    const [orders, shipments] = JSON.parse(stdout).queues;
    expect(orders).toMatchObject({ queue: "orders", count: 4 });
    expect(orders.deadLetters).toHaveLength(2);
    expect(orders.deadLetters[0]).toMatchObject({ id: "ORD-1:placed", reason: "no such street" });
    expect(shipments).toEqual({ queue: "shipments", count: 0, deadLetters: [] });
  });

  it("shows a message decoded, and of one that cannot be decoded its size", async () => {
    const one = await dlq("show", "orders", "ORD-2:placed");
    expect(JSON.parse(one.stdout).message).toEqual({ orderId: "ORD-2" });
    const both = await dlq("show", "orders", "ORD-2:placed", "poison", "--json");
    const [, poison] = both.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(poison).toMatchObject({ id: "poison", bodySize: 12 });
    expect(both.stdout).not.toContain("not protobuf");
  });

  it.each(["show", "redrive", "drop"])(
    "%s fails for an id that no dead letter has",
    async (action) => {
      const { code, stderr } = await dlq(action, "orders", "nonsense");
      expect(code).toBe(1);
      expect(stderr).toBe(
        'No dead letter of orders has the id "nonsense". "smartcart dlq list orders" lists them.\n',
      );
      expect(await bus.deadLetters("orders").count()).toBe(4);
    },
  );

  it("moves one, and then the rest up to a limit, back into the queue", async () => {
    refusing = false;
    const one = await dlq("redrive", "orders", "ORD-3:placed", "nonsense", "--json");
    expect(one).toMatchObject({ code: 1 });
    expect(JSON.parse(one.stdout)).toEqual({ queue: "orders", count: 1, unknown: ["nonsense"] });
    await waitFor(() => handled.includes("ORD-3:placed"));
    expect(await dlq("redrive", "orders.dlq", "all", "--limit", "1")).toEqual({
      code: 0,
      stdout: "1 moved back to orders\n",
      stderr: "",
    });
    await waitFor(async () => (await bus.deadLetters("orders").count()) === 2);
  });

  it("drops permanently", async () => {
    expect((await dlq("drop", "orders", "poison")).stdout).toBe("1 deleted from orders.dlq\n");
    expect((await dlq("drop", "orders", "all")).stdout).toBe("1 deleted from orders.dlq\n");
    expect(await bus.deadLetters("orders").count()).toBe(0);
  });
});
