import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase, migrate, startEmbeddedPostgres } from "@smartcart/store";
import { toStored } from "../src/record.ts";
import { insertRecords, readForward, readHead } from "../src/store.ts";
import { record } from "./support.ts";

test("a crash of PostgreSQL empties the log, and a follower misses nothing that comes after it", async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), "log-crash-"));
  // The server may run as another user.
  await chmod(stateDirectory, 0o755);
  await using started = new AsyncDisposableStack();
  started.defer(() => rm(stateDirectory, { recursive: true }));
  const { url } = started.use(await startEmbeddedPostgres({ stateDirectory, log: silentLogger }));
  const database = started.use(createDatabase({ url, schema: "log", log: silentLogger }));
  await migrate(database, { name: "log", directory: new URL("../migrations/", import.meta.url) });
  const insert = (count: number) =>
    insertRecords(
      database,
      Array.from({ length: count }, (_, index) =>
        toStored(record({}), { messageId: "m", index, now: new Date() }),
      ),
    );
  await insert(100);
  const seen = await readHead(database);

  // The server ends all connections when one dies, and recovers from its WAL.
  const { rows } = await database.query<{ pid: number }>({
    text: "SELECT pg_backend_pid() AS pid",
  });
  process.kill(rows[0]?.pid ?? Number.NaN, "SIGKILL");
  await expect.poll(() => readHead(database).catch(String), { timeout: 15_000 }).toBe("0");
  await insert(3);
  expect(await readForward(database, undefined, { after: seen }, 10)).toHaveLength(3);
});
