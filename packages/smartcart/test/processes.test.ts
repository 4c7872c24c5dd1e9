/**
 * Each service as its own process: on RabbitMQ as `compose.yaml` starts it, without Docker, with a role in the database and a user of the queue each; and on
 * the queue in PostgreSQL.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessOf } from "@smartcart/contract";
import { ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import { InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";
import { createCallerTokens } from "@smartcart/mesh";
import { silentLogger } from "@smartcart/runtime";
import { createTestBroker, createTestDatabase, waitFor } from "@smartcart/testkit";
import { createRoles } from "../src/credentials/service-roles.ts";
import type { Who } from "./access-cells.ts";
import { checkAccess, expected, served, wrongOnes } from "./access-cells.ts";
import { composePasswords } from "./compose.ts";
import { createConsoleClient } from "./console-client.ts";
import { dropRoles } from "./drop-roles.ts";
import { expectConsistent } from "./invariants.ts";
import type { RunningProcesses } from "./service-processes.ts";
import { serviceNames, startComposed, startServiceProcesses } from "./service-processes.ts";
import { createShopper, seedBody, wholeLife } from "./stack.ts";

/** The defaults of `compose.yaml`. */
const secrets = { opsToken: "smartcart-operator", meshSecret: "smartcart-mesh-secret" };

describe.each(["RabbitMQ", "the queue on PostgreSQL"])("a process a service, on %s", (queue) => {
  const isComposed = queue === "RabbitMQ";
  const opsToken = isComposed ? secrets.opsToken : undefined;
  const authorization = opsToken === undefined ? {} : { authorization: `Bearer ${opsToken}` };
  const resources = new AsyncDisposableStack();
  let databaseUrl: string;
  let services: RunningProcesses;
  beforeAll(async () => {
    databaseUrl = resources.use(await createTestDatabase()).url;
    if (isComposed) {
      const broker = resources.use(await createTestBroker());
      const rolePrefix = `t${randomBytes(4).toString("hex")}`;
      const o = { databaseUrl, prefix: rolePrefix, log: silentLogger };
      await createRoles({ ...o, broker, passwords: composePasswords });
      resources.defer(() => dropRoles(databaseUrl, rolePrefix));
      const { amqpUrl } = broker;
      services = resources.use(await startComposed({ databaseUrl, amqpUrl, rolePrefix }));
    } else {
      services = resources.use(await startServiceProcesses({ databaseUrl, amqpUrl: undefined }));
    }
  });
  afterAll(() => resources.disposeAsync());

  it("ships an order and says so on the WebSocket", async () => {
    await using client = await services.follow({ userId: "u1" });
    const { status, body } = await services.place(seedBody);
    expect(status).toBe(201);
    const frames = await client.until("Shipped");
    expect(frames.map((frame) => frame.status)).toEqual(wholeLife);
    expect(frames.map((frame) => frame.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    const line = `Shipping started for OrderId: ${body.orderId}`;
    expect(await readFile(services.shippingLog, "utf8")).toContain(line);
    expect(services.processes.shipping.output()).toContain(line);
  });

  it("ships an order placed on the page's own origin", async () => {
    const { web = "" } = services.urls;
    expect(await (await fetch(`${web}/`)).text()).toContain("<html");
    const page = createShopper({ ...services.urls, order: web, inventory: web, "status-hub": web });
    const { status, body } = await page.place({ ...seedBody, userId: "page" });
    expect(status).toBe(201);
    await using client = await page.follow({ orderId: body.orderId });
    expect((await client.until("Shipped")).map((frame) => frame.status)).toEqual(wholeLife);
  });

  it.each(serviceNames)("answers for the health of %s", async (name) => {
    for (const path of ["healthz", "readyz", "metrics"]) {
      const response = await fetch(`${services.urls[name]}/${path}`);
      expect(response.status, path).toBe(200);
      const text = await response.text();
      if (path === "metrics") expect(text).toContain("process_resident_memory_bytes");
    }
  });

  it("shows all of them at the operations console, and what goes between them", async () => {
    const ops = createConsoleClient(services.urls.web ?? "", opsToken);
    const { body } = await services.place(seedBody);
    await services.history(body.orderId, "Shipped");
    const ways = ["order→inventory", "order→payment", "notification→queue", "queue→shipping"];
    const snapshot = await ops.snapshot("every service ready, and an order's way", (one) => {
      const edges = new Set(one.edges.map(({ from, to }) => `${from}→${to}`));
      const isReady = one.services.every(({ health }) => health === ServiceHealth.READY);
      return isReady && ways.every((way) => edges.has(way)) && one.queues.length > 0;
    });
    expect(snapshot.services.map(({ processes }) => processes)).toEqual(
      snapshot.services.map(() => 1),
    );
    expect(snapshot.queues.map(({ queue }) => queue)).toEqual(["logs", "orders", "shipments"]);
    // Faults can be set only in services that were started in demo mode.
    expect(snapshot.faultSwitches).toEqual([]);
    await ops.invariant("charged at most once", ({ state }) => state === InvariantState.HOLDS);
  });

  it("keeps the log lines of all services in one place", async () => {
    const { body } = await services.place(seedBody);
    await services.history(body.orderId, "Shipped");
    const search = async () => {
      const response = await fetch(`${services.urls.log}/smartcart.log.v1.LogService/SearchLogs`, {
        method: "POST",
        headers: { "content-type": "application/json", ...authorization },
        body: JSON.stringify({ filter: { orderId: body.orderId } }),
      });
      const { records = [] } = (await response.json()) as { records?: Array<{ service: string }> };
      const writers = new Set(records.map((record) => record.service));
      return writers.has("order") && writers.has("shipping");
    };
    await waitFor(search, { what: `lines of order and shipping about ${body.orderId}` });
  });

  if (isComposed) {
    // Everything but what belongs to customers: without an issuer, a request that names one is taken to come from that customer.
    it("lets in whom the contract names", async () => {
      const staff = served.flatMap(([service, at]) =>
        service.methods
          .filter((method) => !accessOf(method).customer)
          .map((method) => [method, at] as const),
      );
      const callers: Who[] = [
        { kind: "anonymous", headers: () => ({}) },
        { kind: "operator", headers: () => authorization },
        ...["order", "ops", "shipping"].map((name) => ({
          kind: "service" as const,
          name,
          headers: (audience: string) => ({
            "smartcart-caller": createCallerTokens(
              { caller: name, audience },
              secrets.meshSecret,
            )(),
          }),
        })),
      ];
      for (const who of callers) {
        const outcomes = await Promise.all(
          staff.map(async ([method, at]) => {
            const transport = createGrpcTransport({ baseUrl: services.urls[at] ?? "" });
            const headers = await who.headers(at);
            return checkAccess(transport, method, {
              headers,
              orderId: "",
              wanted: expected(method, who),
            });
          }),
        );
        expect(wrongOnes(outcomes), `${who.kind} ${who.name}`).toEqual([]);
      }
    });
  }

  it("ends each process cleanly on SIGTERM", async () => {
    await expectConsistent(databaseUrl);
    const ends = serviceNames.map(async (name) => {
      const { exited, kill } = services.processes[name];
      kill("SIGTERM");
      const late = new Promise((resolve) => setTimeout(resolve, 5_000, "still running after 5 s"));
      return [name, await Promise.race([exited, late])];
    });
    expect(Object.fromEntries(await Promise.all(ends))).toEqual(
      Object.fromEntries(serviceNames.map((name) => [name, 0])),
    );
  });
});
