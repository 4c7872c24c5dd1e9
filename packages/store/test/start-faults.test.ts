/** What a start does about each kind of fault, on real servers: the rows of `postgresFaults` that can be brought about. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { remedyFor, silentLogger } from "@smartcart/runtime";
import { freePorts } from "@smartcart/testkit";
import { createDatabase, migrate, postgresFaults } from "../src/index.ts";
import { openingOf } from "./opening.ts";
import type { OwnServer } from "./own-server.ts";
import { startOwnServer } from "./own-server.ts";

let server: OwnServer;
beforeAll(async () => {
  server = await startOwnServer();
  await server.query("create role clerk login password 'pencil'");
  await server.query("create role crowd login password 'pencil' connection limit 0");
  await server.query("create database closed");
  await server.query("revoke connect on database closed from public");
  await server.query(
    "create database latin template template0 encoding latin1 locale_provider libc locale 'C'",
  );
  await server.query("create database reading");
  await server.query("alter database reading set default_transaction_read_only = on");
  await server.addHostRule("host all banned all reject");
  await server.addHostRule("host all unknown all trust");
});
afterAll(() => server[Symbol.asyncDispose]());

/** The server's URL, changed. */
function url(change: (url: URL) => void): string {
  const changed = new URL(server.url);
  change(changed);
  return changed.href;
}

const as = (user: string, database = "smartcart") =>
  url((u) => {
    u.username = user;
    u.password = "pencil";
    u.pathname = `/${database}`;
  });

const over = (sslmode: string, more: Record<string, string> = {}) =>
  url((u) => {
    u.search = new URLSearchParams({ sslmode, ...more }).toString();
  });

describe("a start ends with one line at", () => {
  test.each<[string, () => string, RegExp]>([
    ["a wrong password", () => as("smartcart"), /authentication failed.*correct the user/],
    [
      "no password",
      () => url((u) => void Object.assign(u, { password: "" })),
      /password must be.*give the password in the URL/,
    ],
    ["a missing role", () => as("unknown"), /role "unknown" does not exist: create it/],
    ["an unknown database", () => as("clerk", "nowhere"), /"nowhere" does not exist: create it/],
    [
      "a role without the right to connect",
      () => as("clerk", "closed"),
      /permission denied.*grant/,
    ],
    ["no entry in pg_hba.conf", () => as("banned"), /pg_hba\.conf rejects.*allow/],
    [
      "a database in LATIN1",
      () => as("clerk", "latin"),
      /in LATIN1, but UTF8 is needed.*template0/,
    ],
    ["TLS that is not served", () => over("verify-full"), /does not offer TLS/],
    [
      "a root certificate that is missing",
      () => over("verify-full", { sslrootcert: "/nonexistent/ca.pem" }),
      /\/nonexistent\/ca\.pem.*name a file that exists/,
    ],
    [
      "a session made read-only by the URL",
      () => url((u) => u.searchParams.set("options", "-cdefault_transaction_read_only=on")),
      /read_only from the options in DATABASE_URL/,
    ],
    [
      "a setting that does not exist",
      () => url((u) => u.searchParams.set("options", "-cx=1")),
      /"x"/,
    ],
    ["a port that is none", () => url((u) => u.searchParams.set("port", "99999")), /99999|port/],
  ])("%s", async (_, makeUrl, expected) => {
    const outcome = await openingOf(makeUrl());
    expect(outcome).toMatch(/^ends: StartError DATABASE_URL: [^\n]*$/);
    expect(outcome).toMatch(expected);
    expect(outcome).not.toMatch(/pencil/);
  });

  test("certificates that cannot be trusted", async () => {
    const ca = { sslrootcert: server.certificate("ca") };
    await server.useTls("self");
    expect(await openingOf(over("verify-full"))).toMatch(/^ends: .*NODE_EXTRA_CA_CERTS/);
    await server.useTls("leaf");
    expect(await openingOf(over("verify-full"))).toMatch(/^ends: .*NODE_EXTRA_CA_CERTS/);
    expect(await openingOf(over("verify-full", ca))).toBe("opened");
    await server.useTls("leaf", ["ca"]);
    expect(await openingOf(over("verify-full"))).toMatch(/^ends: .*NODE_EXTRA_CA_CERTS/);
    await server.useTls("other");
    const other = { sslrootcert: server.certificate("other") };
    expect(await openingOf(over("verify-full", other))).toMatch(/^ends: .*connect with a name/);
    expect(await openingOf(over("disable"))).toBe("opened");
  });

  test("a role that may not create schemas, and names what to grant", async () => {
    await using db = createDatabase({ url: as("clerk"), schema: "orders", log: silentLogger });
    const directory = new URL("./fixtures/no-migrations/", import.meta.url);
    const empty = { name: "shop", directory };
    await expect(migrate(db, empty)).rejects.toMatchObject({
      name: "StartError",
      message: expect.stringMatching(
        /^DATABASE_URL: [^\n]*permission denied[^\n]*: grant create on database smartcart to clerk$/,
      ),
    });
    await server.query("create schema orders");
    await expect(migrate(db, empty)).rejects.toThrow(/grant all on schema orders to clerk$/);
    await server.query("grant all on schema orders to clerk");
    await migrate(db, empty);
  });
});

describe("a start waits at", () => {
  test.each<[string, () => Promise<string> | string, RegExp]>([
    ["too many clients", () => as("crowd"), /too many connections for role/],
    ["a server that is read-only for now", () => as("smartcart2", "reading"), /read-only/],
    ["a closed port", freePort, /ECONNREFUSED/],
    ["a name that is not known yet", () => "postgres://a:b@db.invalid/shop", /db\.invalid/],
    [
      "a socket that is not there yet",
      () => "postgresql:///shop?host=/nonexistent/run",
      /\/nonexistent\/run.*ENOENT/,
    ],
  ])("%s", async (_, makeUrl, expected) => {
    await server.query(
      "do $$ begin create role smartcart2 login password 'pencil'; exception when duplicate_object then null; end $$",
    );
    const outcome = await openingOf(await makeUrl());
    expect(outcome).toMatch(/^waits: waiting for PostgreSQL at .*check DATABASE_URL/);
    expect(outcome).toMatch(expected);
  });

  test.each(["57P03", "57P01", "53300", "53100", "08006", "25006", "EAI_AGAIN", "ETIMEDOUT"])(
    "%s",
    (code) => {
      const error = Object.assign(new Error("from PostgreSQL"), { code, severity: "FATAL" });
      expect(remedyFor(error, postgresFaults)).toBeUndefined();
    },
  );

  test.each([
    "Connection terminated unexpectedly",
    "timeout expired",
    "Query read timeout",
    "max clients reached - in Session mode max clients are limited to pool_size",
    "no more connections allowed (max_client_conn)",
  ])("%s", (message) => {
    expect(remedyFor(new Error(message), postgresFaults)).toBeUndefined();
  });
});

async function freePort(): Promise<string> {
  const [port] = await freePorts(1);
  return `postgres://a:b@127.0.0.1:${port}/shop`;
}
