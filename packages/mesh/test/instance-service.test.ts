/** What a service tells the operations console, asked for as the console does. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { InstanceReport } from "@smartcart/gen/ops/v1/instance_report_pb";
import { EdgeKind, ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import { InstanceService } from "@smartcart/gen/ops/v1/instance_service_pb";
import type { Registry } from "@smartcart/runtime";
import { createMetrics, silentLogger } from "@smartcart/runtime";
import { createFaultSwitch, createServiceClient, problemOf } from "../src/index.ts";
import { startOrderServer, startTestServer } from "./rig.ts";

const running = new AsyncDisposableStack();
afterAll(() => running.disposeAsync());

interface Peer {
  readonly url: string;
}

function instanceClient({ url: baseUrl }: Peer, o: { meshSecret?: string; caller?: string } = {}) {
  const client = createServiceClient(InstanceService, {
    caller: "ops",
    audience: "test",
    baseUrl,
    log: silentLogger,
    ...o,
  });
  running.use(client);
  return client;
}

async function problemCode(answer: Promise<unknown>): Promise<string | undefined> {
  return answer.then(
    () => "none",
    (error: unknown) => problemOf(error)?.code,
  );
}

/** The reports of a service, until one is as it should be. */
async function reportWhere(
  peer: Peer,
  isSo: (report: InstanceReport) => boolean,
): Promise<InstanceReport> {
  for await (const { report } of instanceClient(peer).watchInstance({})) {
    if (report !== undefined && isSo(report)) return report;
  }
  throw new Error("the reports ended");
}

describe("a service's report", () => {
  let metrics: Registry;
  let inventory: Peer;
  let order: Peer;
  beforeAll(async () => {
    metrics = createMetrics("order");
    inventory = running.use(await startTestServer({ name: "inventory" }));
    order = running.use(
      await startOrderServer({
        name: "order",
        metrics,
        gauges: async () => ({ "orders.PAID": 2 }),
        checks: {
          database: async () => {},
          async bus() {
            throw new Error("away");
          },
        },
      }),
    );
  });

  it("has the service, its process, its health and its gauges", async () => {
    const report = await reportWhere(order, ({ gauges }) => gauges.length > 0);
    expect(report).toMatchObject({
      service: "order",
      health: ServiceHealth.NOT_READY,
      failedChecks: ["bus"],
      gauges: [{ name: "orders.PAID", value: 2n }],
      faultSwitches: [],
    });
    expect(report.instanceId).not.toBe("");
  });

  it("has the calls from outside with their time and errors, and those to other services", async () => {
    using peer = createServiceClient(InventoryService, {
      caller: "order",
      baseUrl: inventory.url,
      log: silentLogger,
      metrics,
    });
    await peer.checkStock({ productId: "mug", quantity: 1 });
    await peer.checkStock({ productId: "", quantity: 1 }).catch(() => {});
    await place("u1");
    await place("short");

    const { edges } = await reportWhere(order, (report) => report.edges.length === 2);
    expect(edges).toMatchObject([
      { from: "order", to: "inventory", kind: EdgeKind.CALL, count: 2n, errors: 1n },
      { from: "client", to: "order", kind: EdgeKind.CALL, count: 2n, errors: 1n },
    ]);
    for (const { count, latencyCounts, latencyBoundsMs } of edges) {
      expect(latencyBoundsMs).toHaveLength(latencyCounts.length);
      expect(latencyBoundsMs).toEqual(latencyBoundsMs.toSorted((a, b) => a - b));
      expect(latencyCounts.reduce((sum, one) => sum + one, 0n)).toBeLessThanOrEqual(count);
    }
    // A service counts its calls itself: at the other end they are none from outside.
    const other = await reportWhere(inventory, () => true);
    expect(other.edges).toEqual([]);
  });

  function place(userId: string) {
    return fetch(`${order.url}/placeOrder`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        userId,
        items: [{ productId: "mug", quantity: 1 }],
        address: "1 Main St",
      }),
    });
  }
});

describe("a switch", () => {
  it("is not there outside of demo mode", async () => {
    const consoleClient = instanceClient(running.use(await startTestServer()));
    expect(
      await problemCode(consoleClient.setInstanceFaultSwitch({ name: "decline", value: 1n })),
    ).toBe("DEMO_OFF");
  });

  it("turns within its range, and is told of with the value that it has", async () => {
    const turned: number[] = [];
    const delay = createFaultSwitch({
      name: "delay",
      title: "Ship late",
      max: 10_000,
      unit: "ms",
      onTurn: (value) => void turned.push(value),
    });
    const service = running.use(
      await startTestServer({ name: "shipping", faultSwitches: [delay] }),
    );
    const consoleClient = instanceClient(service);
    const on = { service: "shipping", name: "delay", value: 500n, max: 10_000n, unit: "ms" };
    expect(
      await consoleClient.setInstanceFaultSwitch({ name: "delay", value: 500n }),
    ).toMatchObject({
      faultSwitch: on,
    });
    expect((await reportWhere(service, () => true)).faultSwitches).toMatchObject([on]);
    const refused = [
      { name: "delay", value: 10_001n, code: "SWITCH_OUT_OF_RANGE" },
      { name: "stop", value: 1n, code: "SWITCH_NOT_FOUND" },
    ];
    for (const { code, ...request } of refused) {
      expect(await problemCode(consoleClient.setInstanceFaultSwitch(request))).toBe(code);
    }
    expect(turned).toEqual([500]);
  });

  it("is for the ops service only where the mesh has a secret", async () => {
    const meshSecret = "a secret of the whole mesh";
    const service = running.use(await startTestServer({ meshSecret, faultSwitches: [] }));
    const turn = (client: ReturnType<typeof instanceClient>) =>
      problemCode(client.setInstanceFaultSwitch({ name: "stop", value: 1n }));
    expect(await turn(instanceClient(service))).toBe("CALLER_UNKNOWN");
    expect(await turn(instanceClient(service, { meshSecret, caller: "order" }))).toBe(
      "CALLER_NOT_ALLOWED",
    );
    expect(await turn(instanceClient(service, { meshSecret }))).toBe("SWITCH_NOT_FOUND");
  });
});
