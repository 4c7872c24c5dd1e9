import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import type { EmbeddedPostgres } from "@smartcart/engines";
import { startEmbeddedPostgres } from "@smartcart/engines";
import { silentLogger } from "@smartcart/runtime";
import type { Lender } from "./lender.ts";

const spareDatabases = 2;

/** Lends empty databases on one embedded PostgreSQL. */
export async function startDatabases(stateDirectory: string): Promise<Lender> {
  const postgres = await startPostgres(stateDirectory);
  const admin = new pg.Pool({ connectionString: postgres.url, max: 4 });
  admin.on("error", () => {});
  await dropAll(admin);
  const take = keepSpares(admin);
  return {
    lingerMs: 3_000,
    async lend() {
      const name = await take();
      const url = new URL(postgres.url);
      url.pathname = `/${name}`;
      return { lent: { url: url.href }, takeBack: () => drop(admin, name) };
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
      await postgres[Symbol.asyncDispose]();
    },
  };
}

async function startPostgres(stateDirectory: string): Promise<EmbeddedPostgres> {
  const options = { stateDirectory, log: silentLogger, durable: false, maxConnections: 400 };
  try {
    return await startEmbeddedPostgres(options);
  } catch {
    // Without fsync the folder may not have survived a crash of the machine, or it is of another version.
    await rm(join(stateDirectory, "postgres"), { recursive: true, force: true });
    return startEmbeddedPostgres(options);
  }
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
    // the caller that takes it gets the error
    made.catch(() => {});
    return made;
  };
  const spares = Array.from({ length: spareDatabases }, prepare);
  return () => {
    spares.push(prepare());
    return spares.shift() as Promise<string>;
  };
}

async function drop(admin: pg.Pool, name: string): Promise<void> {
  await admin.query(`drop database if exists ${name} with (force)`);
}

/** Those of a test server that was killed, and the spares of the last one. */
async function dropAll(admin: pg.Pool): Promise<void> {
  const { rows } = await admin.query("select datname from pg_database where datname ~ '^test_'");
  for (const { datname } of rows) await drop(admin, datname);
}
