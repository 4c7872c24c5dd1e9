/** Values that can be recognised wherever they appear, and a SmartCart that is configured with them. */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createDevelopmentIssuer } from "@smartcart/identity";
import { createTestBroker, createTestDatabase, makeTemporaryDirectory } from "@smartcart/testkit";
import { rowsOf } from "./invariants.ts";
import { choosePorts, startWhole } from "./whole-process.ts";

/** None of them may be seen outside of where the contract and the operator put them. */
export const marks = {
  address: "7 Zebra-Mark Lane, Markville",
  "address that breaks a rule": `8 Zebra-Mark Lane\u0000${"x".repeat(20)}`,
  user: "zebra.mark.customer",
  "payment token": "tok_zebra_mark_card",
  MESH_SECRET: "zebra-mark-mesh-secret",
  OPS_TOKEN: "zebra-mark-ops-token",
  AUTH_SECRET: "zebra-mark-auth-secret",
  "password of DATABASE_URL": "zebra-mark-database-password",
  "password of AMQP_URL": "zebra-mark-broker-password",
} as const;

/** The marks that a text shows, also as JSON, in a URL or in base64. */
export function marksIn(text: string, known: Readonly<Record<string, string>>): string[] {
  return Object.entries(known).flatMap(([name, mark]) => {
    const forms = [
      mark,
      encodeURIComponent(mark),
      Buffer.from(mark).toString("base64").slice(0, -4),
    ];
    return forms.some((form) => text.includes(form)) ? [name] : [];
  });
}

/** A database whose URL holds a marked password. */
async function createMarkedDatabase() {
  await using started = new AsyncDisposableStack();
  const { url } = started.use(await createTestDatabase());
  /** As the owner of the server. */
  const sql = (text: string) => rowsOf(url, text);
  const role = `marked_${randomBytes(6).toString("hex")}`;
  const password = marks["password of DATABASE_URL"];
  const database = new URL(url).pathname.slice(1);
  await sql(`create role ${role} login password '${password}'`);
  await sql(`grant all on database ${database} to ${role}`);
  const marked = new URL(url);
  marked.username = role;
  marked.password = password;
  const running = started.move();
  return {
    url: marked.href,
    sql,
    async [Symbol.asyncDispose]() {
      await sql(`drop owned by ${role} cascade`);
      await sql(`drop role ${role}`);
      await running.disposeAsync();
    },
  };
}

/** A virtual host whose URL holds a marked password. */
async function createMarkedBroker() {
  const broker = await createTestBroker();
  const { origin, username, password } = new URL(broker.managementUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  /** Puts a resource, or deletes it. */
  const put = async (path: string, body?: object) => {
    const method = body === undefined ? "DELETE" : "PUT";
    const headers = { authorization, "content-type": "application/json" };
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${origin}/api/${path}`, { method, headers, ...json });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  };
  const user = `marked-${broker.vhost}`;
  await put(`users/${user}`, { password: marks["password of AMQP_URL"], tags: "" });
  await put(`permissions/${broker.vhost}/${user}`, { configure: ".*", write: ".*", read: ".*" });
  const url = new URL(broker.amqpUrl);
  url.username = user;
  url.password = marks["password of AMQP_URL"];
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      await put(`users/${user}`);
      await broker[Symbol.asyncDispose]();
    },
  };
}

/** Receives spans as an OTLP collector does, and keeps their bytes. */
async function startCollector() {
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    request.on("data", (data: Buffer) => bodies.push(data)).on("end", () => response.end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received: () => Buffer.concat(bodies).toString("latin1"),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const issuer = "urn:zebra";

/** All of SmartCart in one process with marked settings, every log record written, and spans exported. */
export async function startMarked(engine: "postgres" | "rabbitmq") {
  await using started = new AsyncDisposableStack();
  const state = started.use(await makeTemporaryDirectory());
  const database = started.use(await createMarkedDatabase());
  const amqpUrl = engine === "rabbitmq" ? started.use(await createMarkedBroker()).url : undefined;
  const collector = started.use(await startCollector());
  const issue = createDevelopmentIssuer({
    ...{ issuer, audience: "smartcart", secret: marks.AUTH_SECRET },
  });
  const customerToken = await issue({ subject: marks.user });
  const env: Record<string, string> = {
    ...(await choosePorts()),
    DATABASE_URL: database.url,
    ...(amqpUrl !== undefined && { AMQP_URL: amqpUrl }),
    SMARTCART_STATE: state.path,
    LOG_LEVEL: "debug",
    SHIPPING_DELAY_MS: "100",
    AUTH_ISSUER: issuer,
    AUTH_SECRET: marks.AUTH_SECRET,
    MESH_SECRET: marks.MESH_SECRET,
    OPS_TOKEN: marks.OPS_TOKEN,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  };
  const whole = started.use(await startWhole(env));
  const running = started.move();
  return {
    whole,
    env,
    amqpUrl,
    state: state.path,
    sql: database.sql,
    customerToken,
    spans: collector.received,
    /** With the token itself, whose signature must not appear anywhere else. */
    marks: { ...marks, "bearer token": customerToken.split(".")[2] ?? "" },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export type Marked = Awaited<ReturnType<typeof startMarked>>;
