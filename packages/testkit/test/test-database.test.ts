import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { describe, expect, test, vi } from "vitest";
import { createTestDatabase } from "../src/test-database.ts";

async function databases(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query("select datname from pg_database");
  await client.end();
  return rows.map((row) => row.datname);
}

const nameOf = (url: string) => new URL(url).pathname.slice(1);

describe("createTestDatabase", () => {
  test("each is a database of its own, and is dropped with open connections", async () => {
    await using lasting = await createTestDatabase();
    const passing = await createTestDatabase();
    expect(nameOf(passing.url)).not.toBe(nameOf(lasting.url));
    const client = new pg.Client({ connectionString: passing.url });
    client.on("error", () => {});
    await client.connect();
    await passing[Symbol.asyncDispose]();
    expect(await databases(lasting.url)).not.toContain(nameOf(passing.url));
    await client.end();
  });

  test("many at once are no trouble", async () => {
    const several = await Promise.all(Array.from({ length: 6 }, createTestDatabase));
    expect(new Set(several.map(({ url }) => url)).size).toBe(6);
    await Promise.all(several.map((each) => each[Symbol.asyncDispose]()));
  });

  // on a server that others keep, a killed process leaves its database there
  test.runIf(!process.env.TEST_DATABASE_URL)("that of a killed process goes too", async () => {
    await using mine = await createTestDatabase();
    const script = fileURLToPath(new URL("./fixtures/borrower.ts", import.meta.url));
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(child.stdout.setEncoding("utf8"), "data");
    const name = nameOf(line.trim());
    expect(await databases(mine.url)).toContain(name);
    child.kill("SIGKILL");
    await vi.waitFor(async () => expect(await databases(mine.url)).not.toContain(name), {
      timeout: 10_000,
    });
  });
});
