/** The shop over TLS: all services in one process, as `TLS_CERT=… npm start`, and each on its own with certificates between them. */
import { copyFile, readFile } from "node:fs/promises";
import type { ClientHttp2Session } from "node:http2";
import { connect } from "node:http2";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serviceNames } from "@smartcart/contract";
import { createDevelopmentIssuer } from "@smartcart/identity";
import { issueDevelopmentCertificates } from "@smartcart/identity/development-ca";
import { makeTemporaryDirectory, runCommand, waitFor } from "@smartcart/testkit";
import { buildPage } from "../src/web/build-page.ts";
import type { Who } from "./access-cells.ts";
import { checkAccess, expected, served, wrongOnes } from "./access-cells.ts";
import { runPython } from "./python.ts";
import { cli } from "./run-cli.ts";
import { startServices } from "./services.ts";
import type { Json } from "./stack.ts";
import { seedBody, startStack, wholeLife } from "./stack.ts";

const main = new URL("../src/main.ts", import.meta.url).pathname;
const systemAuthorities = getCACertificates();
const stack = new AsyncDisposableStack();
let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = stack.use(await makeTemporaryDirectory()).path;
  const names = [...serviceNames].map((name) => [name, name === "ops" ? ["reconciler"] : []]);
  const services = Object.fromEntries(names);
  // As its user does it, the others by what it is made of.
  expect((await runCommand(process.execPath, [main, "certs", folder])).code).toBe(0);
  await issueDevelopmentCertificates({ folder: at("others"), services });
  await issueDevelopmentCertificates({ folder: at("expired"), services: {} });
  for (const name of ["ca.crt", "ca.key"]) await copyFile(at(name), at(`expired/${name}`));
  await issueDevelopmentCertificates({ folder: at("expired"), services, days: -0.01 });
  // The tests' own `fetch`, and clients in Python, know the authority as a browser would.
  process.env.SSL_CERT_FILE = at("ca.crt");
  setDefaultCACertificates([...systemAuthorities, await readFile(at("ca.crt"), "utf8")]);
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  setDefaultCACertificates(systemAuthorities);
  delete process.env.SSL_CERT_FILE;
});

describe("all services in one process", () => {
  let shop: Awaited<ReturnType<typeof startStack>>;
  beforeAll(async () => {
    const env = { TLS_CERT: at("server.crt"), TLS_KEY: at("server.key") };
    shop = stack.use(await startStack({ env, page: await buildPage() }));
  });
  const url = (service: string) => shop.urls[service] ?? "";

  test("every URL begins with https, and the documents say so", async () => {
    for (const service of Object.keys(shop.urls)) expect(url(service)).toMatch(/^https:/);
    const { body } = await shop.get("/asyncapi.json");
    expect(body.servers.hub.protocol).toBe("wss");
  });

  test("curl places an order by HTTP/2, and python3-websockets follows it, directly and through the page", async () => {
    for (const [rest, hub] of [
      [url("order"), url("status-hub")],
      [url("web"), url("web")],
    ]) {
      const json = ["-H", "content-type: application/json", "-d", JSON.stringify(seedBody)];
      const args = [
        "-sS",
        "--cacert",
        at("ca.crt"),
        "-w",
        "\n%{http_version} %{http_code}",
        ...json,
        `${rest}/placeOrder`,
      ];
      const { stdout } = await runCommand("curl", args);
      const [answer = "", version] = stdout.split("\n");
      expect(version).toBe("2 201");
      const { orderId } = JSON.parse(answer) as { orderId: string };
      const socket = `${hub?.replace("https", "wss")}/ws`;
      const frames = await runPython("follow_order.py", socket, orderId);
      const statuses = frames.trim().split("\n");
      expect(statuses.map((frame) => (JSON.parse(frame) as { status: string }).status)).toEqual(
        wholeLife,
      );
    }
  });

  test("the page and what it passes on come over one connection of HTTP/2", async () => {
    const session = connect(url("web"));
    const { index, orders, stock, tooLarge, unknown } = await answersOf(session);
    expect(index).toMatchObject({ status: 200, type: "text/html; charset=utf-8" });
    expect(index.policy).toContain("default-src 'self'");
    expect(orders).toMatchObject({ status: 200, type: "application/json" });
    expect(JSON.parse(stock.body)).toMatchObject({ isAvailable: true });
    expect(tooLarge).toMatchObject({ status: 413 });
    expect(unknown).toMatchObject({ status: 404, type: "application/problem+json" });
    session.close();
  });

  test("commands know the services by their certificate, and say so where they do not", async () => {
    const named = (service: string, variable: string) => ({ [variable]: url(service) });
    const env = {
      ...named("order", "ORDER_URL"),
      ...named("inventory", "INVENTORY_URL"),
      ...named("payment", "PAYMENT_URL"),
      DATABASE_URL: shop.databaseUrl,
    };
    const tls = { TLS_CERT: at("server.crt"), TLS_KEY: at("server.key") };
    // In processes of their own: this one trusts the authority.
    const strange = (...args: string[]) => runCommand(process.execPath, [main, ...args], { env });
    const [doctor, catalogue, user] = await Promise.all([
      strange("doctor", "--wait", "1"),
      strange("catalogue", "list"),
      strange("user", "export", "nobody"),
    ]);
    expect(doctor.stdout).toMatch(/BAD +order +does not respond .* certificate is not accepted/);
    for (const { code, stderr } of [catalogue, user]) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/certificate is not accepted .*NODE_EXTRA_CA_CERTS/);
    }
    const known = await cli(["doctor", "--wait", "1"], { ...env, ...tls });
    expect(known.stdout).toMatch(/ok +order +ready at https:/);
    expect(known.stdout).toMatch(/ok +payment +ready at https:/);
    expect((await cli(["catalogue", "list", "moka"], { ...env, ...tls })).code).toBe(0);
    expect((await cli(["user", "export", "nobody"], { ...env, ...tls })).code).toBe(0);
    const plain = { ...env, INVENTORY_URL: url("inventory").replace("https", "http") };
    expect((await cli(["catalogue", "list"], plain)).stderr).toMatch(/https URL/);
  });
});

async function answersOf(session: ClientHttp2Session) {
  const ask = async (path: string, headers: Record<string, string> = {}, body?: string) => {
    const method = body === undefined ? "GET" : "POST";
    const stream = session.request({ ":path": path, ":method": method, ...headers });
    const responded = new Promise<Record<string, unknown>>((resolve) =>
      stream.once("response", resolve),
    );
    stream.end(body);
    const response = await responded;
    return {
      status: response[":status"],
      type: response["content-type"],
      policy: response["content-security-policy"],
      body: await text(stream),
    };
  };
  const json = { "content-type": "application/json" };
  const stockPath = "/smartcart.inventory.v1.InventoryService/CheckStock";
  const large = JSON.stringify({ ...seedBody, address: "x".repeat(300_000) });
  const [index, orders, stock, tooLarge, unknown] = await Promise.all([
    ask("/", { accept: "text/html" }),
    ask("/orders?userId=u1"),
    ask(stockPath, json, '{"productId":"espresso-beans","quantity":1}'),
    ask("/placeOrder", json, large),
    ask("/nothing"),
  ]);
  return { index, orders, stock, tooLarge, unknown };
}

describe("each service on its own, with certificates between them", () => {
  let running: Awaited<ReturnType<typeof startServices>>;
  const pair = (name: string, from = ".") => ({
    MESH_TLS_CERT: at(`${from}/${name}.crt`),
    MESH_TLS_KEY: at(`${from}/${name}.key`),
  });
  const people = {
    AUTH_ISSUER: "https://issuer.example",
    AUTH_SECRET: "a-secret-of-thirty-two-characters",
  };
  beforeAll(async () => {
    const env = { MESH_TLS_CA: at("ca.crt"), ...pair("{service}"), ...people };
    running = stack.use(await startServices({ without: [], env }));
  });

  test("an order goes its whole way without a shared secret", async () => {
    const { AUTH_ISSUER: issuer, AUTH_SECRET: secret } = people;
    const issue = createDevelopmentIssuer({ issuer, secret, audience: "smartcart" });
    const bearer = ["-H", `authorization: Bearer ${await issue({ subject: "u1" })}`];
    const ask = async (path: string, ...more: string[]) => {
      const args = ["-sS", "--cacert", at("ca.crt"), ...addressed(), ...bearer, ...more];
      const { stdout } = await runCommand("curl", [...args, `${orderUrl()}${path}`]);
      return JSON.parse(stdout) as Json;
    };
    const json = ["-H", "content-type: application/json", "-d", JSON.stringify(seedBody)];
    const { orderId, status } = await ask("/placeOrder", ...json);
    expect(status).toBe("CONFIRMED");
    const shipped = async () => {
      const { events } = await ask(`/orders/${orderId}/events`);
      return events.length === wholeLife.length;
    };
    await waitFor(shipped, { what: "the shipment" });
  });

  /** By the name that is in the certificate, which no name server knows. */
  const portOf = () => new URL(running.urls.order ?? "").port;
  const orderUrl = () => `https://order.smartcart.internal:${portOf()}`;
  const addressed = () => ["--connect-to", `::127.0.0.1:${portOf()}`];

  const someone = (kind: Who["kind"], name = ""): Who => ({ kind, name, headers: () => ({}) });
  const holders: Record<string, { who: Who; files?: () => { cert: string; key: string } }> = {
    "no certificate": { who: someone("anonymous") },
    "an expired one": { who: someone("anonymous"), files: () => filesOf("order", "expired") },
    "one of another authority": {
      who: someone("anonymous"),
      files: () => filesOf("order", "others"),
    },
    "one for public ports": { who: someone("anonymous"), files: () => filesOf("server") },
    ...Object.fromEntries(
      [...serviceNames].map((name) => [
        `that of ${name}`,
        { who: someone("service", name), files: () => filesOf(name) },
      ]),
    ),
  };
  const filesOf = (name: string, from = ".") => ({
    cert: at(`${from}/${name}.crt`),
    key: at(`${from}/${name}.key`),
  });

  test.each(Object.keys(holders))("the holder of %s may what the contract says", async (name) => {
    const { who, files } = holders[name] ?? {};
    if (who === undefined) throw new Error("no holder");
    const own = files?.();
    const proof = own && { cert: await readFile(own.cert), key: await readFile(own.key) };
    const nodeOptions = { rejectUnauthorized: false, ...proof };
    const outcomes = await Promise.all(
      served.flatMap(([service, name]) => {
        const baseUrl = running.urls[name];
        if (baseUrl === undefined) return [];
        const transport = createGrpcTransport({ baseUrl, nodeOptions });
        return service.methods.map((method) => {
          const orderId = `ORD-${"0".repeat(26)}`;
          return checkAccess(transport, method, {
            headers: {},
            orderId,
            wanted: expected(method, who),
          });
        });
      }),
    );
    expect(outcomes.length).toBeGreaterThan(20);
    expect(wrongOnes(outcomes)).toEqual([]);
  });
});
