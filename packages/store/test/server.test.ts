import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { findEmbeddedPostgres } from "@smartcart/engines";
import { commonConfig, createLogger, parseConfig, silentLogger } from "@smartcart/runtime";
import { createTestDatabase, freePorts } from "@smartcart/testkit";
import { createDatabase, migrate, openDatabaseServer } from "../src/index.ts";
import { openingOf } from "./opening.ts";

const stateDirectory = "/nonexistent";

describe("openDatabaseServer with a DATABASE_URL", () => {
  test("uses that server and starts none", async () => {
    await using database = await createTestDatabase();
    await using server = await openDatabaseServer({
      databaseUrl: database.url,
      stateDirectory,
      log: silentLogger,
    });
    expect(server).toMatchObject({ url: database.url, embedded: false });
  });

  test.each([
    [
      "a wrong password",
      (url: URL) => {
        url.password = "wrong";
      },
      /password authentication failed .*: correct the user and password/,
    ],
    [
      "an unknown database",
      (url: URL) => {
        url.pathname = "/nowhere";
      },
      /"nowhere" does not exist: create it/,
    ],
  ])("gives up at once on %s, without showing a password", async (_, spoil, expected) => {
    await using database = await createTestDatabase();
    const url = new URL(database.url);
    const { password } = url;
    spoil(url);
    const opening = openDatabaseServer({
      databaseUrl: url.href,
      stateDirectory,
      log: silentLogger,
    });
    const error = await opening.catch((e) => e);
    expect(error).toMatchObject({ variable: "DATABASE_URL" });
    expect(error.message).toMatch(/^DATABASE_URL: PostgreSQL at 127.0.0.1:\d+/);
    expect(error.message).toMatch(expected);
    expect(error.message).not.toContain(password);
    expect(error.message).not.toContain("wrong");
  });

  test.each([
    ["as libpq writes it", (folder: string) => `/?host=${folder}`],
    ["as the host", (folder: string) => `${encodeURIComponent(folder)}/?`],
  ])("reaches a Unix socket whose folder is in the URL, %s", async (_, place) => {
    await using database = await createTestDatabase();
    const { username, password, pathname, port } = new URL(database.url);
    const folder = await mkdtemp(join(tmpdir(), "smartcart-socket-"));
    // The embedded server has no socket; this one leads to it.
    const server = createServer((socket) => {
      const upstream = connect(Number(port), "127.0.0.1");
      socket.pipe(upstream).pipe(socket);
      socket.on("error", () => {});
      upstream.on("error", () => {});
    }).listen(join(folder, ".s.PGSQL.5432"));
    await once(server, "listening");
    const url = `postgresql://${username}:${password}@${place(folder).replace("/?", `${pathname}?`)}`;
    const { DATABASE_URL } = parseConfig({ DATABASE_URL: url }, commonConfig);
    expect(await openingOf(DATABASE_URL ?? "")).toBe("opened");
    await using db = createDatabase({ url, schema: "shop", log: silentLogger });
    await migrate(db, {
      name: "shop",
      directory: new URL("./fixtures/no-migrations/", import.meta.url),
    });
    server.close();
    await rm(folder, { recursive: true });
  });

  test("waits for a server that is not there yet, says so, and ends when told to", async () => {
    const [port] = await freePorts(1);
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const stop = new AbortController();
    const opening = openDatabaseServer({
      databaseUrl: `postgres://me:secret@127.0.0.1:${port}/shop`,
      stateDirectory,
      log: createLogger({ service: "test", destination }),
      signal: stop.signal,
    });
    const ended = expect(opening).rejects.toMatchObject({ name: "AbortError" });
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(1));
    stop.abort();
    await ended;
    expect(lines[0]).toContain(`waiting for PostgreSQL at 127.0.0.1:${port}/shop`);
    expect(lines[0]).toContain("DATABASE_URL");
    expect(lines.join()).not.toContain("secret");
  });
});

describe("openDatabaseServer without a DATABASE_URL", () => {
  let state: string;
  let options: { stateDirectory: string; log: typeof silentLogger };
  beforeAll(async () => {
    state = await mkdtemp(join(tmpdir(), "smartcart-state-"));
    // The server may run as another user.
    await chmod(state, 0o755);
    options = { stateDirectory: state, log: silentLogger };
  });
  afterAll(() => rm(state, { recursive: true }));

  test("takes nothing from the variables that a shell has for another server", async () => {
    const variables = {
      PGHOST: "db.invalid",
      PGPORT: "1",
      PGUSER: "nobody",
      PGPASSWORD: "wrong",
      PGDATABASE: "elsewhere",
      PGSSLMODE: "require",
      PGSSLNEGOTIATION: "direct",
      PGSSLROOTCERT: "/nonexistent/ca.pem",
      PGOPTIONS: "-c default_transaction_read_only=on -c search_path=elsewhere",
      PGREPLICATION: "database",
      PGCLIENTENCODING: "LATIN1",
      PGCLIENT_ENCODING: "LATIN1",
      PGAPPNAME: "psql",
      PGSERVICE: "elsewhere",
      PGDATA: "/nonexistent",
      PGCONNECT_TIMEOUT: "0",
    };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    try {
      await using server = await openDatabaseServer(options);
      expect(await findEmbeddedPostgres({ stateDirectory: state })).toBe(server.url);
      await using db = createDatabase({ url: server.url, schema: "public", log: silentLogger });
      await db.query({ text: "create table written as select 'ü' as letter" });
      const { rows } = await db.query({
        text: "select letter, current_setting('application_name') as name from written",
      });
      expect(rows).toEqual([{ letter: "ü", name: "public" }]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("says when the password in the state folder is not the one of the database", async () => {
    const password = join(state, "postgres", "password");
    const right = await readFile(password, "utf8");
    await writeFile(password, "wrong");
    await expect(openDatabaseServer(options)).rejects.toMatchObject({
      variable: "SMARTCART_STATE",
      message: expect.stringMatching(/password in .* is not the one of the database: restore/),
    });
    await writeFile(password, right);
    await using server = await openDatabaseServer(options);
    expect(server.embedded).toBe(true);
  });
});
