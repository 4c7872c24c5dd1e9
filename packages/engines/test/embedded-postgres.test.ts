import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createLogger, processExists, silentLogger } from "@smartcart/runtime";
import { removeEmbeddedPostgres, startEmbeddedPostgres } from "../src/index.ts";
import { findBinaries, prepareBinaries } from "../src/postgresql/binaries.ts";
import { ensureDatabase } from "../src/postgresql/initdb.ts";
import { ensurePassword } from "../src/postgresql/password.ts";

const isRoot = process.getuid?.() === 0;

async function stateFolder() {
  const path = await mkdtemp(join(tmpdir(), "smartcart-state-"));
  // as a fresh installation makes it: mkdtemp is for its owner alone
  await chmod(path, 0o755);
  return {
    path,
    data: join(path, "postgres", "data"),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

const start = (stateDirectory: string) =>
  startEmbeddedPostgres({ stateDirectory, log: silentLogger });

async function query(url: string, sql: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Starts an owner in a process of its own. */
async function startOwner(stateDirectory: string) {
  const script = fileURLToPath(new URL("./fixtures/postgres-owner.ts", import.meta.url));
  const child = spawn(process.execPath, [script, stateDirectory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  const { url, pid } = JSON.parse(line) as { url: string; pid: number };
  return {
    url,
    postmasterPid: pid,
    pid: Number(child.pid),
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe("startEmbeddedPostgres", () => {
  // one folder for all that do not need a new one: the first start is the slow one
  let state: Awaited<ReturnType<typeof stateFolder>>;
  beforeAll(async () => {
    state = await stateFolder();
  });
  afterAll(() => state[Symbol.asyncDispose]());

  test("runs a durable PostgreSQL that keeps its data, and leaves no process behind", async () => {
    let pid = 0;
    {
      await using postgres = await start(state.path);
      pid = postgres.pid;
      const rows = await query(
        postgres.url,
        `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
                current_setting('full_page_writes') as pages, current_setting('listen_addresses') as host`,
      );
      expect(rows).toEqual([{ fsync: "on", commit: "on", pages: "on", host: "127.0.0.1" }]);
      await query(postgres.url, "create table kept as select 42 as answer");
    }
    expect(processExists(pid)).toBe(false);
    await using again = await start(state.path);
    expect(await query(again.url, "select * from kept")).toEqual([{ answer: 42 }]);
  });

  // only root can run initdb as another user
  test.skipIf(!isRoot)("says what to do where the user has no entry in /etc/passwd", async () => {
    await using own = await stateFolder();
    const osUser = { uid: 54_321, gid: 54_321 };
    const directory = join(own.path, "postgres");
    await mkdir(directory);
    await chown(directory, osUser.uid, osUser.gid);
    const binaries = (await prepareBinaries(await findBinaries(), directory, true)).directory;
    await ensurePassword(directory, osUser);
    const making = ensureDatabase({
      binaries,
      directory,
      dataDirectory: own.data,
      subject: "SMARTCART_STATE",
      osUser,
      env: {},
      durable: false,
    });
    await expect(making).rejects.toMatchObject({
      name: "StartError",
      message: expect.stringMatching(/^[^\n]*user with the id 54321[^\n]*set DATABASE_URL[^\n]*$/),
    });
  });

  test("asks for the password, which only its user can read", async () => {
    await using postgres = await start(state.path);
    const wrong = postgres.url.replace(/:[^:@]*@/, ":wrong@");
    await expect(query(wrong, "select 1")).rejects.toThrow("password authentication failed");
    const { mode } = await stat(join(state.path, "postgres", "password"));
    expect(mode & 0o777).toBe(0o600);
  });

  test("rejects a second start and names the owner, in this and in another process", async () => {
    const owner = await startOwner(state.path);
    await expect(start(state.path)).rejects.toThrow(
      `SMARTCART_STATE=${state.path} is in use by process ${owner.pid}: stop that process`,
    );
    await owner.kill();
    await using mine = await start(state.path);
    await expect(start(state.path)).rejects.toMatchObject({
      variable: "SMARTCART_STATE",
      message: expect.stringContaining(`process ${process.pid}`),
    });
    expect(await query(mine.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("of several first starts at once, one wins", async () => {
    await using state = await stateFolder();
    const results = await Promise.allSettled([
      start(state.path),
      start(state.path),
      start(state.path),
    ]);
    const won = results.filter((r) => r.status === "fulfilled");
    const lost = results.filter((r) => r.status === "rejected");
    for (const { value } of won) await value[Symbol.asyncDispose]();
    expect(won).toHaveLength(1);
    for (const { reason } of lost) expect(reason.message).toContain("is in use by process");
  });

  test("the server ends soon after its owner was killed", async () => {
    const owner = await startOwner(state.path);
    await owner.kill();
    await vi.waitFor(() => expect(processExists(owner.postmasterPid)).toBe(false), {
      timeout: 10_000,
    });
  });

  test("committed rows survive a kill -9 of everything", async () => {
    const owner = await startOwner(state.path);
    await query(owner.url, "create table survivor (id int); insert into survivor values (1), (2)");
    process.kill(owner.postmasterPid, "SIGKILL");
    await owner.kill();
    await using again = await start(state.path);
    expect(await query(again.url, "select id from survivor order by id")).toEqual([
      { id: 1 },
      { id: 2 },
    ]);
  });

  test("starts although the ids that were left behind belong to other processes now", async () => {
    const owner = await startOwner(state.path);
    process.kill(owner.postmasterPid, "SIGKILL");
    await owner.kill();
    // an unrelated process: alive, not PostgreSQL, and not the one that wrote these
    const pidFile = join(state.data, "postmaster.pid");
    const lines = (await readFile(pidFile, "utf8")).split("\n");
    const unrelated = spawn("sleep", ["60"], isRoot ? await dataOwner(state.data) : {});
    await writeFile(pidFile, [unrelated.pid, ...lines.slice(1)].join("\n"));
    await using again = await start(state.path);
    expect(await query(again.url, "select 1 as one")).toEqual([{ one: 1 }]);
    unrelated.kill();
  });

  test("says when the server ends by itself", async () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const log = createLogger({ service: "test", destination });
    await using postgres = await startEmbeddedPostgres({ stateDirectory: state.path, log });
    process.kill(postgres.pid, "SIGINT");
    await vi.waitFor(() => expect(lines.join()).toContain("database.ended"), { timeout: 10_000 });
  });

  test("rejects data of another PostgreSQL", async () => {
    await using state = await stateFolder();
    await mkdir(state.data, { recursive: true });
    await writeFile(join(state.data, "PG_VERSION"), "14\n");
    await expect(start(state.path)).rejects.toThrow(
      /is of PostgreSQL 14, but .* brings PostgreSQL \d+/,
    );
  });

  test("says when the password got lost", async () => {
    await using state = await stateFolder();
    await (await start(state.path))[Symbol.asyncDispose]();
    await rm(join(state.path, "postgres", "password"));
    await expect(start(state.path)).rejects.toThrow(
      /password of the database in .* is missing: restore that file/,
    );
  });

  test("can be deleted for a new beginning, but not while it is used", async () => {
    await using own = await stateFolder();
    const options = { stateDirectory: own.path, log: silentLogger };
    await removeEmbeddedPostgres(options);
    {
      await using _postgres = await start(own.path);
      await expect(removeEmbeddedPostgres(options)).rejects.toThrow("is in use by process");
    }
    await removeEmbeddedPostgres(options);
    expect(await readdir(own.path)).toEqual([]);
  });

  test("leaves no half-made folder behind", async () => {
    await using state = await stateFolder();
    await mkdir(`${state.data}.999999999.abcd`, { recursive: true });
    await (await start(state.path))[Symbol.asyncDispose]();
    const left = await readdir(join(state.path, "postgres"));
    expect(left.filter((name) => name.startsWith("data"))).toEqual(["data"]);
  });

  test("names SMARTCART_STATE when the folder cannot be made", async () => {
    await using state = await stateFolder();
    const file = join(state.path, "file");
    await writeFile(file, "");
    await expect(start(join(file, "below"))).rejects.toMatchObject({
      variable: "SMARTCART_STATE",
      message: expect.stringMatching(/SMARTCART_STATE=.* cannot be used: .*ENOTDIR/),
    });
  });

  test("names SMARTCART_STATE when its user may not enter or write there", async () => {
    await using state = await stateFolder();
    const locked = join(state.path, "locked");
    await mkdir(locked);
    // root may write everywhere, but the user that its PostgreSQL runs as may not
    await chmod(locked, isRoot ? 0o700 : 0o500);
    const failure = start(join(locked, "state"));
    await expect(failure).rejects.toMatchObject({
      variable: "SMARTCART_STATE",
      message: expect.stringContaining(isRoot ? `cannot enter ${locked}` : "EACCES"),
    });
  });
});

async function dataOwner(data: string): Promise<{ uid: number; gid: number }> {
  const { uid, gid } = await stat(data);
  return { uid, gid };
}
