/** Settings that cannot work: one line for each, which names the variable; and waiting, where waiting is right. */
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import {
  createTestBroker,
  createTestDatabase,
  freePorts,
  startForwarder,
  waitFor,
} from "@smartcart/testkit";
import { seedBody, startStack, wholeLife } from "./stack.ts";
import { choosePorts, spawnWhole } from "./whole-process.ts";

const nowhere = "postgres://nobody:nothing@127.0.0.1:9/nothing";

/** How a start with these settings ends: the exit code, and what it wrote to standard error. */
async function failedStart(env: Readonly<Record<string, string>>) {
  await using smartcart = spawnWhole({ ...(await choosePorts()), ...env });
  const code = await smartcart.exited;
  return { code, lines: smartcart.errorOutput().trim().split("\n") };
}

describe("a setting that cannot work", () => {
  it("is one line that names it, for all of them at once", async () => {
    const { code, lines } = await failedStart({
      DATABASE_URL: "localhost/smartcart",
      AMQP_URL: "amqp://localhost:5672",
      ORDER_PORT: "eighty",
      INVENTORY_PORT: "99999",
      SHIPPING_DELAY_MS: "soon",
      ORDER_ANSWER_TIMEOUT_MS: "a while",
      LOG_LEVEL: "loud",
      MESH_SECRET: "short",
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector",
    });
    expect(code).toBe(1);
    expect(lines.map((line) => line.split(":")[0]).sort()).toEqual([
      "AMQP_URL",
      "DATABASE_URL",
      "INVENTORY_PORT",
      "LOG_LEVEL",
      "MESH_SECRET",
      "ORDER_ANSWER_TIMEOUT_MS",
      "ORDER_PORT",
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "SHIPPING_DELAY_MS",
    ]);
  });

  it("is an address where something else is spoken", async () => {
    const server = createHttpServer((_, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const database = await failedStart({ DATABASE_URL: `postgres://a:b@127.0.0.1:${port}/shop` });
      expect(database).toMatchObject({
        code: 1,
        lines: [expect.stringMatching(/DATABASE_URL: .*the port speaks HTTP/)],
      });
      await using own = await createTestDatabase();
      const env = { DATABASE_URL: own.url, AMQP_URL: `amqp://a:b@127.0.0.1:${port}` };
      const broker = await failedStart(env);
      expect(broker).toMatchObject({
        code: 1,
        lines: [expect.stringMatching(/AMQP_URL: .*this is not AMQP 0-9-1/)],
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("is shown as it was given", async () => {
    const env = {
      DATABASE_URL: "mysql://localhost/smartcart",
      AMQP_URL: "http://localhost:15672",
      INVENTORY_URL: "inventory",
      STATUS_URL: "status-hub:8083",
      HOST: "http://0.0.0.0",
    };
    const { code, lines } = await failedStart(env);
    expect(code).toBe(1);
    expect(lines).toHaveLength(Object.keys(env).length);
    for (const [variable, value] of Object.entries(env)) {
      const line = lines.find((line) => line.startsWith(`${variable}: `));
      expect(line, variable).toContain(`"${value}"`);
    }
  });

  it("ports that are taken or shared are refused all at once, before anything starts", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    const third = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => third.once("listening", resolve));
    const { port: page } = third.address() as AddressInfo;
    const [free = 0] = await freePorts(1);
    const { code, lines } = await failedStart({
      DATABASE_URL: nowhere,
      ORDER_PORT: `${port}`,
      LOG_PORT: `${free}`,
      SHIPPING_PORT: `${free}`,
      WEB_PORT: `${page}`,
    });
    other.close();
    third.close();
    expect(code).toBe(1);
    expect(lines).toEqual([
      "smartcart: not all ports are available:",
      `Port ${port} is in use. Set ORDER_PORT.`,
      `LOG_PORT and SHIPPING_PORT are both ${free}. Set one of them to another port.`,
      `Port ${page} is in use. Set WEB_PORT.`,
      "PORT_BASE=9000 moves all ports, to 9000 and the eight after it.",
    ]);
  });

  it("stops the services that had started already", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const [logPort = 0] = await freePorts(1);
    const env = { INVENTORY_PORT: String(port), LOG_PORT: String(logPort) };
    await expect(startStack({ env })).rejects.toThrow("INVENTORY_PORT");
    other.close();
    await expect(fetch(`http://127.0.0.1:${logPort}/healthz`)).rejects.toThrow();
  });

  it("a database that refuses the login is one line, and no password is in it", async () => {
    await using database = await createTestDatabase();
    const url = new URL(database.url);
    url.password = "a-wrong-password";
    const { code, lines } = await failedStart({ DATABASE_URL: url.href });
    expect([code, lines.length]).toEqual([1, 1]);
    expect(lines[0]).toContain("DATABASE_URL");
    expect(lines[0]).not.toContain("a-wrong-password");
  });
});

/** The URL with another port on loopback, and where it led before. */
async function elsewhere(original: string, defaultPort: number) {
  const [port = 0] = await freePorts(1);
  const url = new URL(original);
  const target = { host: url.hostname, port: Number(url.port || defaultPort) };
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return { url: url.href, port, target };
}

describe("what cannot be reached yet", () => {
  it("the database is waited for, and named", async () => {
    await using database = await createTestDatabase();
    const { url, port, target } = await elsewhere(database.url, 5432);
    await using smartcart = spawnWhole({ ...(await choosePorts()), DATABASE_URL: url });
    await waitFor(() => /waiting for PostgreSQL.*DATABASE_URL/.test(smartcart.output()), {
      what: "a line that names DATABASE_URL",
    });
    await using _appeared = await startForwarder({ port, target });
    await smartcart.answers(`${smartcart.urls.order}/readyz`);
    expect((await smartcart.place(seedBody)).status).toBe(201);
  });

  it("the broker is waited for, and named", async () => {
    await using database = await createTestDatabase();
    await using broker = await createTestBroker();
    const { url, port, target } = await elsewhere(broker.amqpUrl, 5672);
    await using smartcart = spawnWhole({
      ...(await choosePorts()),
      DATABASE_URL: database.url,
      AMQP_URL: url,
      SHIPPING_DELAY_MS: "100",
    });
    await waitFor(() => /waiting for .*AMQP_URL/.test(smartcart.output()), {
      what: "a line that names AMQP_URL",
    });
    await using _appeared = await startForwarder({ port, target });
    await smartcart.answers(`${smartcart.urls.order}/readyz`);
    const { body } = await smartcart.place(seedBody);
    expect(await smartcart.history(body.orderId, "Shipped")).toEqual(wholeLife);
  });

  it("a stop while it waits is a clean end", async () => {
    await using smartcart = spawnWhole({ ...(await choosePorts()), DATABASE_URL: nowhere });
    await waitFor(() => smartcart.output().includes("DATABASE_URL"));
    smartcart.kill("SIGINT");
    expect(await smartcart.exited).toBe(0);
  });
});
