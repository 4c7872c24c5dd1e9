import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { StartError, silentLogger } from "@smartcart/runtime";
import type { EmbeddedPostgres } from "../embedded/postgres.ts";
import { startEmbeddedPostgres } from "../embedded/postgres.ts";
import { sharedDirectory, socketPath } from "./paths.ts";

/*
 * The process behind `createTestDatabase`: runs one PostgreSQL for all test processes of this user. A connection to its
 * socket is a database: made at the first byte, dropped when the connection closes, which also happens when the test
 * process is killed. With the last connection gone for a while, the keeper stops the server and ends.
 */

const lingerMs = 3_000;
const spareDatabases = 2;

/** Of several keepers that start at once only one gets the data folder; the others end here. */
async function startPostgres(): Promise<EmbeddedPostgres> {
  const options = {
    stateDirectory: sharedDirectory(),
    log: silentLogger,
    durable: false,
    maxConnections: 400,
  };
  try {
    return await startEmbeddedPostgres(options);
  } catch (error) {
    if (!(error instanceof StartError) || /is in use by process/.test(error.message)) throw error;
    // without fsync the folder may not have survived a crash of the machine, or is of another version
    await rm(join(options.stateDirectory, "postgres"), { recursive: true, force: true });
    return startEmbeddedPostgres(options);
  }
}

async function main(): Promise<void> {
  await using postgres = await startPostgres();
  const admin = new pg.Pool({ connectionString: postgres.url, max: 4 });
  admin.on("error", () => {});
  await dropAll(admin);
  const take = keepSpares(admin);

  const idle = new AbortController();
  const connections = new Set<Socket>();
  let timer: NodeJS.Timeout | undefined;
  const stopWhenIdle = () => {
    clearTimeout(timer);
    timer = setTimeout(() => connections.size === 0 && idle.abort(), lingerMs);
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    void serve(socket, admin, take, postgres.url).finally(() => {
      connections.delete(socket);
      stopWhenIdle();
    });
  });
  // whoever has the data folder owns the socket too: one that is still there is of a keeper that was killed
  await rm(socketPath(), { force: true });
  server.listen(socketPath());
  await once(server, "listening");
  stopWhenIdle();
  await once(idle.signal, "abort");
  server.close();
  await dropAll(admin);
  await admin.end();
}

/** One connection, one database. */
async function serve(
  socket: Socket,
  admin: pg.Pool,
  take: () => Promise<string>,
  url: string,
): Promise<void> {
  const closed = new Promise((resolve) => {
    socket.on("error", resolve).on("end", resolve).on("close", resolve);
  });
  const asked = new Promise<boolean>((resolve) => socket.once("data", () => resolve(true)));
  // others only look whether somebody listens
  if (!(await Promise.race([asked, closed.then(() => false)]))) return void socket.end();
  try {
    const name = await take();
    const own = new URL(url);
    own.pathname = `/${name}`;
    socket.write(`${JSON.stringify({ url: own.href })}\n`);
    await closed;
    await admin.query(`drop database if exists ${name} with (force)`);
  } catch (error) {
    socket.write(`${JSON.stringify({ error: String(error) })}\n`);
  }
  socket.end();
}

/** A few databases are made in advance: one takes up to 0.2 s on a busy machine, which every test would wait for. */
function keepSpares(admin: pg.Pool): () => Promise<string> {
  const create = async () => {
    const name = `test_${randomBytes(8).toString("hex")}`;
    // by copying files: quicker than through the log when nothing is flushed
    await admin.query(`create database ${name} strategy file_copy`);
    return name;
  };
  const prepare = () => {
    const made = create();
    // who takes it hears of the failure
    made.catch(() => {});
    return made;
  };
  const spares = Array.from({ length: spareDatabases }, prepare);
  return () => {
    spares.push(prepare());
    return spares.shift() as Promise<string>;
  };
}

/** Spares, and those of a keeper that was killed. */
async function dropAll(admin: pg.Pool): Promise<void> {
  const { rows } = await admin.query("select datname from pg_database where datname ~ '^test_'");
  for (const { datname } of rows) {
    await admin.query(`drop database if exists ${datname} with (force)`);
  }
}

await main();
process.exit(0);
