/** Dead letters as the operator handles them, on both engines. */
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { createEvent } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { problemOf } from "@smartcart/mesh";
import { silentLogger } from "@smartcart/runtime";
import { waitFor } from "@smartcart/testkit";
import type { World } from "./world.ts";
import { createWorld } from "./world.ts";

const ids = Array.from({ length: 60 }, (_, at) => `ORD-${String(at).padStart(2, "0")}`);

/** Publishes orders whose consumer gives each of them up while it refuses. */
async function refuseAll({ bus }: World) {
  const handled: string[] = [];
  let refusing = true;
  const consumer = await bus.consume("orders", {
    name: "test",
    log: silentLogger,
    maxBatch: 100,
    async handle(batch) {
      if (refusing) return batch.map(() => ({ kind: "dead-letter", reason: "no such street" }));
      handled.push(...batch.map(({ id }) => id));
      return batch.map(() => ({ kind: "ack" }));
    },
  });
  const events = ids.map((orderId) =>
    createEvent(OrderPlacedSchema, create(OrderPlacedSchema, { orderId }), { id: orderId }),
  );
  const poison = { ...events[0], id: "poison", body: Buffer.alloc(5_000, 0xff) };
  await bus.publish([...events, poison as (typeof events)[0] & object]);
  const dead = bus.deadLetters("orders");
  await waitFor(async () => (await dead.count()) === 61, { timeoutMs: 60_000 });
  return {
    handled,
    dead,
    accept() {
      refusing = false;
    },
    [Symbol.asyncDispose]: () => consumer[Symbol.asyncDispose](),
  };
}

async function progressOf(
  steps: AsyncIterable<{ progress?: { done: bigint; total: bigint } | undefined }>,
): Promise<{ done: number; total: number }[]> {
  const all = [];
  for await (const { progress } of steps) {
    all.push({ done: Number(progress?.done), total: Number(progress?.total) });
  }
  return all;
}

describe.each(["postgres", "rabbitmq"] as const)("on %s", (engine) => {
  it("dead letters are listed, put back one, many and all, and dropped", async () => {
    await using world = await createWorld(engine);
    await using shop = await refuseAll(world);
    const { client } = world;

    const { deadLetters, queues } = await client.listDeadLetters({});
    expect(queues).toMatchObject([{ queue: "orders", deadLetters: 61n }]);
    expect(deadLetters).toHaveLength(61);
    const times = deadLetters.map(({ failedAt }) => Number(failedAt?.seconds));
    expect(times).toEqual(times.toSorted((one, other) => other - one));
    const poison = deadLetters.find(({ messageId }) => messageId === "poison");
    expect(poison).toMatchObject({ messageJson: "", orderId: "" });
    expect(poison).toMatchObject({ body: { length: 0 }, bodySize: 5_000n });
    expect((await client.listDeadLetters({ pageSize: 5 })).deadLetters).toHaveLength(5);
    const [one] = (await client.listDeadLetters({ orderId: "ORD-07" })).deadLetters;
    expect(one).toMatchObject({
      queue: "orders",
      messageId: "ORD-07",
      type: "smartcart.events.v1.OrderPlaced",
      orderId: "ORD-07",
      attempts: 1,
      reason: "no such street",
      messageJson: '{"orderId":"ORD-07"}',
    });
    const attributes = JSON.parse(one?.attributesJson ?? "");
    if (engine === "postgres") expect(attributes).toEqual({ properties: {}, headers: {} });
    else expect(attributes.properties).toMatchObject({ messageId: "ORD-07", deliveryMode: 2 });

    shop.accept();
    const some = { queue: "orders", messageIds: ["ORD-01", "ORD-02", "no such message"] };
    expect(await progressOf(client.redriveDeadLetters({ selection: some }))).toEqual([
      { done: 0, total: 3 },
      { done: 2, total: 3 },
    ]);
    const dropped = { queue: "orders", messageIds: ["poison"] };
    expect((await progressOf(client.dropDeadLetters({ selection: dropped }))).at(-1)).toEqual({
      done: 1,
      total: 1,
    });
    const all = { selection: { queue: "orders" }, maxPerSecond: 1_000 };
    const steps = await progressOf(client.redriveDeadLetters(all));
    expect(steps[0]).toEqual({ done: 0, total: 58 });
    expect(steps.at(-1)).toEqual({ done: 58, total: 58 });
    expect(steps.length).toBeGreaterThan(2);
    await waitFor(() => shop.handled.length === 60, { timeoutMs: 60_000 });
    expect(shop.handled.toSorted()).toEqual(ids);
    expect(await shop.dead.count()).toBe(0);
  });

  it("dead letters are archived, one and all, and a copy with another body is sent", async () => {
    await using world = await createWorld(engine);
    await using shop = await refuseAll(world);
    const { client } = world;
    const some = { queue: "orders", messageIds: ["ORD-01", "poison", "no such message"] };
    const steps = await progressOf(client.archiveDeadLetters({ selection: some }));
    expect(steps.at(-1)).toEqual({ done: 2, total: 3 });
    expect(await shop.dead.count()).toBe(59);
    const { deadLetters } = await client.listArchivedDeadLetters({ orderId: "ORD-01" });
    expect(deadLetters).toMatchObject([{ queue: "orders", messageId: "ORD-01", attempts: 1 }]);
    const archived = (await client.listArchivedDeadLetters({})).deadLetters;
    expect(archived.map(({ messageId }) => messageId).toSorted()).toEqual(["ORD-01", "poison"]);
    expect(archived.find(({ messageId }) => messageId === "poison")?.bodySize).toBe(5_000n);

    shop.accept();
    const body = JSON.stringify({ orderId: "ORD-NEW" });
    const one = { queue: "orders", messageJson: body };
    // From the queue, and from the archive.
    const copies = [
      await client.resendDeadLetter({ ...one, messageId: "ORD-02" }),
      await client.resendDeadLetter({ ...one, messageId: "ORD-01" }),
    ].map(({ messageId }) => messageId);
    await waitFor(() => shop.handled.length === 2, { timeoutMs: 60_000 });
    expect(shop.handled.toSorted()).toEqual(copies.toSorted());
    expect(await shop.dead.count()).toBe(59);
    const refusals = [
      { ...one, messageId: "ORD-99" },
      { ...one, messageId: "ORD-02", messageJson: '{"orderID":1}' },
      { ...one, messageId: "ORD-02", messageJson: "{oops" },
    ].map((request) => client.resendDeadLetter(request).catch((e: unknown) => problemOf(e)?.code));
    expect(await Promise.all(refusals)).toEqual([
      "LETTER_NOT_FOUND",
      "INVALID_ARGUMENT",
      "MALFORMED_JSON",
    ]);

    const all = { selection: { queue: "orders" } };
    expect((await progressOf(client.archiveDeadLetters(all))).at(-1)).toEqual({
      done: 59,
      total: 59,
    });
    expect(await shop.dead.count()).toBe(0);
    expect((await client.listArchivedDeadLetters({ pageSize: 500 })).deadLetters).toHaveLength(61);
  });

  it("what is put back goes no further when the caller hangs up", async () => {
    await using world = await createWorld(engine);
    await using shop = await refuseAll(world);
    shop.accept();
    const selection = { queue: "orders" };
    for await (const { progress } of world.client.redriveDeadLetters({
      selection,
      maxPerSecond: 20,
    })) {
      if (progress !== undefined && progress.done > 0n) break;
    }
    // Ten at a time, of which the next may have been under way.
    const all = async () => shop.handled.length + (await shop.dead.count());
    await waitFor(async () => (await all()) === 61, { timeoutMs: 60_000 });
    // One of the ten may be the dead letter that cannot be decoded; it fails again.
    expect(shop.handled.length).toBeGreaterThanOrEqual(9);
    expect(shop.handled.length).toBeLessThan(60);
  });
});
