import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { LogFilterSchema } from "@smartcart/gen/log/v1/log_service_pb";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import type { StoredRecord } from "../src/record.ts";
import { toStored } from "../src/record.ts";
import { insertInTurn, insertRecords } from "../src/store.ts";
import type { TestLog } from "./support.ts";
import { emit, record, startTestLog } from "./support.ts";

const patience = { timeout: 15_000 };

/** Follows the log in the background, as the console does. */
function follow(log: TestLog, filter: MessageInitShape<typeof LogFilterSchema> = {}, backlog = 0) {
  const stop = new AbortController();
  const messages: string[] = [];
  const stream = log.client.tailLogs({ filter, backlog }, { signal: stop.signal });
  const ended = (async () => {
    for await (const { records } of stream) {
      messages.push(...records.map(({ message }) => message));
    }
  })().catch((error: unknown) => error);
  return {
    messages,
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

/** A watcher that is told of every line from now on; what is stored while it still begins, it may not be told of. */
async function followFromNow(log: TestLog) {
  await insertRecords(log.sql, [line("now")]);
  const watcher = follow(log, {}, 1);
  await expect.poll(() => watcher.messages, patience).toEqual(["now"]);
  watcher.messages.length = 0;
  return watcher;
}

test("a watcher gets the newest few, oldest first, then each new line that matches", async () => {
  await using log = await startTestLog();
  await emit(log.bus, ...["a", "b", "c", "d"].map((message) => record({ message })));
  await expect.poll(async () => (await log.client.searchLogs({})).records.length).toBe(4);
  await using all = follow(log, {}, 2);
  await using some = follow(log, { orderId: "ORD-1" }, 1000);
  await expect.poll(() => all.messages, patience).toEqual(["c", "d"]);
  await emit(log.bus, record({ message: "e" }), record({ message: "f", orderId: "ORD-1" }));
  await expect.poll(() => all.messages, patience).toEqual(["c", "d", "e", "f"]);
  await expect.poll(() => some.messages, patience).toEqual(["f"]);
});

test("a watcher misses nothing, although many write at once and some of them are slow", async () => {
  await using log = await startTestLog();
  await using slow = createDatabase({ url: log.databaseUrl, schema: "log", log: silentLogger });
  await using watcher = await followFromNow(log);
  const batches = Array.from({ length: 60 }, (_, batch) =>
    Array.from({ length: 7 }, (_, index) => line(`${batch}.${index}`)),
  );
  // Other replicas, whose writes this service is not told of.
  await Promise.all(batches.map((batch) => insertRecords(slow, batch)));
  const expected = batches.flat().map(({ message }) => message);
  await expect.poll(() => watcher.messages.length, patience).toBe(expected.length);
  expect(watcher.messages.toSorted()).toEqual(expected.toSorted());
});

test("a writer that has its positions but has not committed holds up later ones, instead of being missed", async () => {
  await using log = await startTestLog();
  await using other = createDatabase({ url: log.databaseUrl, schema: "log", log: silentLogger });
  await using watcher = await followFromNow(log);
  const connection = await other.connect();
  await connection.query("begin");
  await insertInTurn({ query: (statement) => run(connection, statement) }, [line("first")]);
  const second = insertRecords(other, [line("second")]);
  // The second waits for the first: until then neither may be seen.
  await expect.poll(() => waitingForTurn(log), patience).toBe(1);
  expect(watcher.messages).toEqual([]);
  await connection.query("commit");
  connection.release();
  await second;
  await expect.poll(() => watcher.messages, patience).toEqual(["first", "second"]);
});

test("more than fits into one message comes in several, in order", async () => {
  await using log = await startTestLog();
  const lines = Array.from({ length: 1800 }, (_, index) => line(`${index}`));
  await using watcher = await followFromNow(log);
  await insertRecords(log.sql, lines);
  await expect.poll(() => watcher.messages.length, patience).toBe(lines.length);
  expect(watcher.messages).toEqual(lines.map(({ message }) => message));
});

test("so many may follow, and the next one is told so; who leaves makes room", async () => {
  await using log = await startTestLog({ env: { LOG_MAX_WATCHERS: "1" } });
  const first = follow(log, {}, 1);
  await emit(log.bus, record({ message: "a" }));
  await expect.poll(() => first.messages, patience).toEqual(["a"]);
  await using second = follow(log);
  expect(await second.ended).toMatchObject({ code: Code.ResourceExhausted });
  await first[Symbol.asyncDispose]();
  await expect
    .poll(async () => {
      const third = follow(log, {}, 1);
      await using _ending = third;
      await Promise.race([third.ended, expect.poll(() => third.messages).toEqual(["a"])]);
      return third.messages;
    }, patience)
    .toEqual(["a"]);
});

test("a watcher does not keep the service from stopping", async () => {
  const log = await startTestLog();
  const watcher = follow(log, {}, 1);
  await emit(log.bus, record({ message: "a" }));
  await expect.poll(() => watcher.messages, patience).toEqual(["a"]);
  await log[Symbol.asyncDispose]();
  expect(await watcher.ended).toBeInstanceOf(Error);
});

function line(message: string): StoredRecord {
  return toStored(record({ message }), { messageId: "m", index: 0, now: new Date() });
}

async function run(
  connection: { query: (statement: never) => Promise<{ rows: never[]; rowCount: number | null }> },
  statement: unknown,
) {
  const { rows, rowCount } = await connection.query(statement as never);
  return { rows, rowCount: rowCount ?? 0 };
}

async function waitingForTurn({ sql }: TestLog): Promise<number> {
  const { rows } = await sql.query<{ count: number }>({
    text: `SELECT count(*)::int AS count FROM pg_locks
      WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  });
  return rows[0]?.count ?? 0;
}
