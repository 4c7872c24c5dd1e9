/** What a start does about each kind of fault of RabbitMQ: the rows of `rabbitmqFaults`, most of them on a real broker. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo, Server } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLogger, remedyFor, silentLogger } from "@smartcart/runtime";
import type { TestBroker } from "@smartcart/testkit";
import { canTestRabbitmq, createTestBroker } from "@smartcart/testkit";
import { openBus } from "../src/index.ts";
import { rabbitmqFaults } from "../src/rabbitmq/rabbitmq-faults.ts";

const execute = promisify(execFile);
const running = new AsyncDisposableStack();
let broker: TestBroker;
let folder: string;

const skip = !(await canTestRabbitmq());

describe.skipIf(skip)("a start on RabbitMQ", () => {
  beforeAll(async () => {
    broker = running.use(await createTestBroker());
    folder = await mkdtemp(join(tmpdir(), "smartcart-tls-"));
    running.defer(() => rm(folder, { recursive: true, force: true }));
    await makeCertificates();
    await addUser("clerk", { configure: "^$", write: "^$", read: "^$" });
    await addUser("reader", { configure: ".*", write: ".*", read: "^smartcart" });
    await addUser("outsider");
  });
  afterAll(() => running.disposeAsync());

  it.each<[string, () => string | Promise<string>, RegExp]>([
    ["a URL that is none", () => "localhost:5672", /must look like amqp:/],
    ["a URL without user", () => "amqp://localhost", /must carry user and password/],
    [
      "guest elsewhere",
      () => "amqp://guest:guest@mq.example",
      /user guest.* on mq\.example: use a user/,
    ],
    ["a stray %", () => "amqp://me:pencil%@localhost", /write it as %25/],
    ["a wrong password", () => url((u) => (u.password = "pencil")), /Login was refused.*correct/],
    [
      "a wrong virtual host",
      () => url((u) => (u.pathname = "/nowhere")),
      /nowhere not found.*create/,
    ],
    ["a virtual host without access", () => as("outsider"), /access to vhost .*: grant it/],
    ["queues without access", () => as("clerk"), /refused for user 'clerk'.*: grant it/],
    ["a port without TLS", () => url((u) => (u.protocol = "amqps:")), /does not speak TLS/],
    ["a self-signed certificate", () => overTls("self"), /NODE_EXTRA_CA_CERTS/],
    ["a missing root certificate", () => overTls("leaf"), /NODE_EXTRA_CA_CERTS/],
  ])("ends with one line at %s", async (_, makeUrl, expected) => {
    const outcome = await openingOf(await makeUrl());
    expect(outcome).toMatch(/^ends: StartError [^\n]*AMQP_URL[^\n]*$/);
    expect(outcome).toMatch(expected);
    expect(outcome).not.toMatch(/pencil/);
  });

  it.each<[string, () => string | Promise<string>, RegExp]>([
    ["a closed port", () => "amqp://a:b@127.0.0.1:1", /ECONNREFUSED/],
    ["a name that is not known yet", () => "amqp://a:b@mq.invalid", /mq\.invalid/],
    ["a broker that is starting", hangingUp, /closed unexpectedly/],
  ])("waits at %s", async (_, makeUrl, expected) => {
    const outcome = await openingOf(await makeUrl());
    expect(outcome).toMatch(/^waits: waiting for RabbitMQ at .*check AMQP_URL/);
    expect(outcome).toMatch(expected);
  });

  it("ends with one line where a consumer may not read its queue", async () => {
    // A user with all permissions declares the topology first.
    await using _ = await openBus({ ...options, amqpUrl: broker.amqpUrl });
    await using bus = await openBus({ ...options, amqpUrl: as("reader") });
    const consuming = bus.consume("orders", {
      name: "x",
      log: silentLogger,
      handle: async () => [],
    });
    await expect(consuming).rejects.toMatchObject({
      name: "StartError",
      message: expect.stringMatching(/^AMQP_URL: queue orders: .*refused.*: grant it/),
    });
  });
});

it.each<[string, string, RegExp | undefined]>([
  ["ERR_TLS_CERT_ALTNAME_INVALID", "does not match", /name in the certificate of/],
  ["CERT_HAS_EXPIRED", "expired", /renew/],
  ["PRECONDITION_FAILED", "inequivalent arg", /delete it there/],
  ["VERSION_MISMATCH", "the server suggests 1-0-0", /0-9-1/],
  [
    "NOT_ALLOWED",
    "access to vhost '/' refused for user 'a': connection limit (1) is reached",
    undefined,
  ],
  ["INTERNAL_ERROR", "access to vhost '/' refused for user 'a': vhost '/' is down", undefined],
  ["CONNECTION_FORCED", "broker forced connection closure with reason 'shutdown'", undefined],
  ["EAI_AGAIN", "getaddrinfo EAI_AGAIN", undefined],
  ["CONNECTION_TIMEOUT", "connection timed out", undefined],
  ["TIMEOUT", "channel aquisition timed out", undefined],
  ["NOT_FOUND", "home node of durable queue is down", undefined],
])("%s: %s", (code, message, remedy) => {
  const decided = remedyFor(Object.assign(new Error(message), { code }), rabbitmqFaults);
  if (remedy === undefined) expect(decided).toBeUndefined();
  else expect(decided).toMatch(remedy);
});

const options = { databaseUrl: "postgres://unused", name: "test", log: silentLogger };

/** How a start with that URL goes: "opened", "waits: why" with the first line of the log, or "ends: why". */
async function openingOf(amqpUrl: string): Promise<string> {
  const waiting = Promise.withResolvers<string>();
  const stop = new AbortController();
  const log = createLogger({ service: "test", destination: { write: waiting.resolve } });
  const outcome = openBus({ ...options, amqpUrl, log, signal: stop.signal }).then(
    async (bus) => {
      await bus[Symbol.asyncDispose]();
      return "opened";
    },
    (error) => `ends: ${error.name} ${error.message}`,
  );
  const line = waiting.promise.then((text) => `waits: ${JSON.parse(text).message}`);
  const found = await Promise.race([outcome, line]);
  stop.abort();
  await outcome;
  return found;
}

function url(change: (url: URL) => void): string {
  const changed = new URL(broker.amqpUrl);
  change(changed);
  return changed.href;
}

function as(user: string): string {
  return url((u) => Object.assign(u, { username: user, password: "pencil" }));
}

async function addUser(name: string, permissions?: object): Promise<void> {
  await put(`/api/users/${name}`, { password: "pencil", tags: "" });
  running.defer(() => request("DELETE", `/api/users/${name}`));
  if (permissions) await put(`/api/permissions/${broker.vhost}/${name}`, permissions);
}

const put = (path: string, body: object) => request("PUT", path, body);

async function request(method: string, path: string, body?: object): Promise<void> {
  const { username, password, origin } = new URL(broker.managementUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
}

/** Before the broker, with that certificate. */
async function overTls(name: "self" | "leaf"): Promise<string> {
  const key = await readFile(join(folder, `${name}.key`));
  const cert = await readFile(join(folder, `${name}.crt`));
  const { hostname, port } = new URL(broker.amqpUrl);
  const server = createTlsServer({ key, cert }, (socket) => {
    const inner = connect(Number(port), hostname);
    socket
      .on("error", () => inner.destroy())
      .pipe(inner)
      .on("error", () => {})
      .pipe(socket);
  });
  server.on("tlsClientError", () => {});
  const own = await listen(server);
  return url((u) => Object.assign(u, { protocol: "amqps:", port: String(own) }));
}

async function hangingUp(): Promise<string> {
  const port = await listen(createServer((socket) => socket.end()));
  return `amqp://a:b@127.0.0.1:${port}`;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  running.defer(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function makeCertificates(): Promise<void> {
  const openssl = (...args: string[]) => execute("openssl", args, { cwd: folder });
  const self = (name: string) =>
    openssl(
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", `/CN=${name}`],
      ...[
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.crt`,
        "-addext",
        "subjectAltName=IP:127.0.0.1",
      ],
    );
  await self("self");
  await self("ca");
  await openssl(
    ...["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=leaf"],
    ...["-keyout", "leaf.key", "-out", "leaf.csr"],
  );
  await openssl(
    ...["x509", "-req", "-in", "leaf.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "2"],
    ...["-CAcreateserial", "-out", "leaf.crt"],
  );
}
