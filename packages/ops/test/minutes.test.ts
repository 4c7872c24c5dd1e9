/** The figures of a day: kept while no console is open, and bounded. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DeadLetterSchema } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { MeshMinute } from "@smartcart/gen/ops/v1/ops_service_pb";
import { MeshMinuteSchema } from "@smartcart/gen/ops/v1/ops_service_pb";
import { createMetrics, silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import { createAttention } from "../src/attention.ts";
import { startInstanceWatch } from "../src/instance-watch.ts";
import { startMinuteWatch } from "../src/minute-watch.ts";
import { archiveDeadLetters, insertMinute, listArchived, listMinutes } from "../src/store.ts";
import { startInstance } from "./world.ts";

const running = new AsyncDisposableStack();
let database: Database;

beforeAll(async () => {
  const { url } = running.use(await createTestDatabase());
  database = running.use(createDatabase({ url, schema: "ops", log: silentLogger }));
  const directory = new URL("../migrations/", import.meta.url);
  await migrate(database, { name: "ops", directory });
});
afterAll(() => running.disposeAsync());

test("a minute has what the processes report, though no console is open", async () => {
  const metrics = createMetrics("order");
  await using instance = await startInstance("order", {
    metrics,
    gauges: async () => ({ "orders.PAID": 3, "orders.SHIPPING": 2 }),
  });
  using attention = createAttention(1_000);
  await using watch = startInstanceWatch({
    service: "order",
    address: { baseUrl: instance.url },
    meshSecret: undefined,
    log: silentLogger,
    attention,
  });
  const minutes: MeshMinute[] = [];
  await using _ = startMinuteWatch({
    watches: [watch],
    bus: { depths: async () => ({ orders: 5, "orders.dlq": 4, "logs.dlq": 1 }) },
    store: async (minute) => void minutes.push(minute),
    log: silentLogger,
    intervalMs: 200,
  });
  await expect.poll(() => minutes.length, { timeout: 15_000 }).toBeGreaterThan(1);
  expect(minutes[0]).toMatchObject({
    orders: [
      { state: "PAID", count: 3n },
      { state: "SHIPPING", count: 2n },
    ],
    clientRatePerSecond: 0,
    deadLetters: 5n,
  });
  expect(watch.track()).toEqual([]);
});

test("minutes are kept for a day, each once", async () => {
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  const hours = (count: number) => now - count * 3_600_000;
  for (const atMs of [hours(25), hours(23), hours(1), hours(1), now]) {
    const minute = { beginsAt: timestampFromMs(atMs), deadLetters: 1n };
    await insertMinute(database, create(MeshMinuteSchema, minute));
  }
  const kept = (await listMinutes(database)).map(({ beginsAt }) => Number(beginsAt?.seconds));
  expect(kept).toEqual([hours(23), hours(1), now].map((atMs) => atMs / 1_000));
  const { rows } = await database.query({ text: "select from mesh_minute" });
  expect(rows).toHaveLength(3);
});

test("the archive forgets what is older than 30 days", async () => {
  const deadLetter = (messageId: string) => ({
    deadLetter: create(DeadLetterSchema, { queue: "orders", messageId }),
    body: new Uint8Array(),
  });
  await archiveDeadLetters(database, [deadLetter("old"), deadLetter("old"), deadLetter("kept")]);
  await database.query({
    text: "update archived_dead_letter set archived_at = now() - interval '31 days' where message_id = 'old'",
  });
  await archiveDeadLetters(database, [deadLetter("new")]);
  const ids = (await listArchived(database, "", 10)).map(({ messageId }) => messageId);
  expect(ids).toEqual(["new", "kept"]);
});
