/** Two installations on one RabbitMQ: no message crosses. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { canTestRabbitmq, createTestBroker } from "@smartcart/testkit";
import { findRabbitMq } from "../src/rabbitmq/find-rabbitmq.ts";
import { rowsOf } from "./invariants.ts";
import { seedBody, startStack, wholeLife } from "./stack.ts";

describe.skipIf(!(await canTestRabbitmq()))("two installations on one RabbitMQ", () => {
  const started = new AsyncDisposableStack();
  let local: { port: number; managementUrl: string };
  beforeAll(async () => {
    const { amqpUrl, managementUrl } = started.use(await createTestBroker());
    local = { port: Number(new URL(amqpUrl).port), managementUrl };
  });
  afterAll(() => started.disposeAsync());

  const api = (method: string, path: string) => {
    const { username, password, origin } = new URL(local.managementUrl);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    return fetch(`${origin}/api/${path}`, { method, headers: { authorization } });
  };

  /** What `npm start -- --rabbitmq` finds with a state folder. */
  async function found(stateDirectory: string, fresh = false): Promise<string> {
    const options = { amqpUrl: undefined, stateDirectory, fresh, local, log: silentLogger };
    const { amqpUrl, description } = await findRabbitMq(options);
    expect(description).toBe(
      `RabbitMQ at amqp://localhost:${local.port}${new URL(amqpUrl).pathname}`,
    );
    return amqpUrl;
  }

  async function installation(): Promise<{ state: string; amqpUrl: string }> {
    const state = await mkdtemp(join(tmpdir(), "smartcart-state-"));
    started.defer(() => rm(state, { recursive: true }));
    const amqpUrl = await found(state);
    started.defer(async () => void (await api("DELETE", `vhosts${new URL(amqpUrl).pathname}`)));
    return { state, amqpUrl };
  }

  it("have a virtual host each, which a later start finds again and --fresh empties", async () => {
    const [one, other] = await Promise.all([installation(), installation()]);
    expect(one.amqpUrl).not.toBe(other.amqpUrl);
    expect(await found(one.state)).toBe(one.amqpUrl);
    const exchange = `exchanges${new URL(one.amqpUrl).pathname}/smartcart.owner.orders`;
    const shop = await startStack({ env: { AMQP_URL: one.amqpUrl } });
    await shop[Symbol.asyncDispose]();
    expect((await api("GET", exchange)).status).toBe(200);
    expect(await found(one.state, true)).toBe(one.amqpUrl);
    expect((await api("GET", exchange)).status).toBe(404);
  });

  it("ship their own orders only, and a third one on a claimed virtual host is refused in words", async () => {
    const [one, other] = await Promise.all([installation(), installation()]);
    await using first = await startStack({ env: { AMQP_URL: one.amqpUrl } });
    await using second = await startStack({ env: { AMQP_URL: other.amqpUrl } });
    for (const shop of [first, second, first, second]) {
      const { body } = await shop.place(seedBody);
      expect(await shop.history(body.orderId, "Shipped")).toEqual(wholeLife);
    }
    for (const { databaseUrl } of [first, second]) {
      const foreign = await rowsOf(
        databaseUrl,
        `select order_id from shipping.shipment
         where order_id not in (select order_id from orders.orders)`,
      );
      expect(foreign).toEqual([]);
    }
    await expect(startStack({ env: { AMQP_URL: one.amqpUrl } })).rejects.toThrow(
      /^The queue "\w+" on this virtual host belongs to a SmartCart with another database\. Set AMQP_URL to a virtual host of its own\./,
    );
    const again = { AMQP_URL: one.amqpUrl, DATABASE_URL: first.databaseUrl };
    await using _restarted = await startStack({ env: again });
  });
});
