/** Each part as its own process, on each of the two queues: what `compose.yaml` starts, without Docker. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PartHealth } from "@smartcart/gen/ops/v1/part_report_pb";
import { PromiseState } from "@smartcart/gen/ops/v1/promise_pb";
import { createTestBroker, createTestDatabase, waitFor } from "@smartcart/testkit";
import { createDesk } from "./desk.ts";
import { expectConsistent } from "./invariants.ts";
import type { RunningProcesses } from "./part-processes.ts";
import { partNames, startPartProcesses } from "./part-processes.ts";
import { createShopper, seedBody, wholeLife } from "./stack.ts";

describe.each(["RabbitMQ", "the queue on PostgreSQL"])("a process a part, on %s", (queue) => {
  const resources = new AsyncDisposableStack();
  let databaseUrl: string;
  let parts: RunningProcesses;
  beforeAll(async () => {
    databaseUrl = resources.use(await createTestDatabase()).url;
    const broker = queue === "RabbitMQ" ? resources.use(await createTestBroker()) : undefined;
    parts = resources.use(await startPartProcesses({ databaseUrl, amqpUrl: broker?.amqpUrl }));
  });
  afterAll(() => resources.disposeAsync());

  it("ships an order and says so on the WebSocket", async () => {
    await using client = await parts.follow({ userId: "u1" });
    const { status, body } = await parts.place(seedBody);
    expect(status).toBe(201);
    const frames = await client.until("Shipped");
    expect(frames.map((frame) => frame.status)).toEqual(wholeLife);
    expect(frames.map((frame) => frame.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    const line = `Shipping started for OrderId: ${body.orderId}`;
    expect(await readFile(parts.shippingLog, "utf8")).toContain(line);
    expect(parts.processes.shipping.output()).toContain(line);
  });

  it("ships an order placed on the page's own origin", async () => {
    const { web = "" } = parts.urls;
    expect(await (await fetch(`${web}/`)).text()).toContain("<html");
    const page = createShopper({ ...parts.urls, order: web, inventory: web, "status-hub": web });
    const { status, body } = await page.place({ ...seedBody, userId: "page" });
    expect(status).toBe(201);
    await using client = await page.follow({ orderId: body.orderId });
    expect((await client.until("Shipped")).map((frame) => frame.status)).toEqual(wholeLife);
  });

  it.each(partNames)("answers for the health of %s", async (name) => {
    for (const path of ["healthz", "readyz", "metrics"]) {
      const response = await fetch(`${parts.urls[name]}/${path}`);
      expect(response.status, path).toBe(200);
      const text = await response.text();
      if (path === "metrics") expect(text).toContain("process_resident_memory_bytes");
    }
  });

  it("shows all of them at the operator's desk, and what goes between them", async () => {
    const desk = createDesk(parts.urls.web ?? "");
    const { body } = await parts.place(seedBody);
    await parts.history(body.orderId, "Shipped");
    const ways = ["order→inventory", "order→payment", "notification→queue", "queue→shipping"];
    const snapshot = await desk.snapshot("every part ready, and an order's way", (one) => {
      const edges = new Set(one.edges.map(({ from, to }) => `${from}→${to}`));
      const isReady = one.parts.every(({ health }) => health === PartHealth.READY);
      return isReady && ways.every((way) => edges.has(way)) && one.queues.length > 0;
    });
    expect(snapshot.parts.map(({ processes }) => processes)).toEqual(snapshot.parts.map(() => 1));
    expect(snapshot.queues.map(({ queue }) => queue)).toEqual(["logs", "orders", "shipments"]);
    // Nobody breaks anything in parts that were not started for it.
    expect(snapshot.switches).toEqual([]);
    await desk.promise("charged at most once", ({ state }) => state === PromiseState.KEPT);
  });

  it("keeps the log lines of all parts in one place", async () => {
    const { body } = await parts.place(seedBody);
    await parts.history(body.orderId, "Shipped");
    const search = async () => {
      const response = await fetch(`${parts.urls.log}/smartcart.log.v1.LogService/SearchLogs`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ filter: { orderId: body.orderId } }),
      });
      const { records = [] } = (await response.json()) as { records?: Array<{ service: string }> };
      const writers = new Set(records.map((record) => record.service));
      return writers.has("order") && writers.has("shipping");
    };
    await waitFor(search, { what: `lines of order and shipping about ${body.orderId}` });
  });

  it("ends each process cleanly on SIGTERM", async () => {
    await expectConsistent(databaseUrl);
    const ends = partNames.map(async (name) => {
      const { exited, kill } = parts.processes[name];
      kill("SIGTERM");
      const late = new Promise((resolve) => setTimeout(resolve, 5_000, "still running after 5 s"));
      return [name, await Promise.race([exited, late])];
    });
    expect(Object.fromEntries(await Promise.all(ends))).toEqual(
      Object.fromEntries(partNames.map((name) => [name, 0])),
    );
  });
});
