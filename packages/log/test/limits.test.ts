/** What readers and writers may cost, and what a request may hold. */
import { randomBytes } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import { problemOf } from "@smartcart/mesh";
import { silentLogger } from "@smartcart/runtime";
import type { Database, Statement } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { propertyOptions } from "@smartcart/testkit";
import { createMatcher, searchTextOf } from "../src/filter.ts";
import type { FoundRecord } from "../src/read-records.ts";
import { searchRecords } from "../src/read-records.ts";
import { createReadings } from "../src/readings.ts";
import type { StoredRecord } from "../src/record.ts";
import { toStored } from "../src/record.ts";
import { insertRecords } from "../src/store.ts";
import { createTail } from "../src/tail.ts";
import type { TestLog } from "./support.ts";
import { emit, record, startTestLog } from "./support.ts";

const patience = { timeout: 15_000 };

const line = (o: Parameters<typeof record>[0] = {}): StoredRecord =>
  toStored(record(o), { messageId: "m", index: 0, now: new Date() });

/** "found", or why not. */
const outcomeOf = (call: Promise<unknown>) =>
  call.then(
    () => "found",
    (error: unknown) => {
      const { code, rawMessage } = ConnectError.from(error);
      return code === Code.InvalidArgument
        ? rawMessage.split(":")[0]
        : `${Code[code]} ${rawMessage}`;
    },
  );

/** A value once it has not changed for a second. */
async function settled<T>(read: () => T): Promise<T> {
  for (;;) {
    const before = read();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (JSON.stringify(read()) === JSON.stringify(before)) return before;
  }
}

test("whatever times and tokens a search names, it is answered or told which one is wrong", async () => {
  await using log = await startTestLog();
  await insertRecords(log.sql, [line()]);
  const seconds = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
    fc.constantFrom(9_000_000_000_000_000n, 253_402_300_800n, -62_135_596_801n, -62_135_596_800n),
  );
  const nanos = fc.oneof(fc.nat(999_999_999), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
  const time = fc.option(fc.record({ seconds, nanos }), { nil: undefined });
  const token = fc.oneof(
    fc.constant(""),
    fc
      .tuple(fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }), fc.bigInt(0n, 10n ** 19n))
      .map(([atMs, position]) => Buffer.from(`${atMs}.${position}`).toString("base64url")),
    fc.string({ maxLength: 100 }),
  );
  const readable = "filter.since|filter.until|pageToken|pageSize|filter.minSeverity|filter.text";
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        filter: fc.record({
          since: time,
          until: time,
          text: fc.string({ unit: "binary", maxLength: 220 }),
          minSeverity: fc.integer({ min: -1, max: 6 }) as fc.Arbitrary<Severity>,
        }),
        pageToken: token,
        pageSize: fc.integer({ min: -1, max: 1001 }),
      }),
      async (request) => {
        const outcome = await outcomeOf(log.client.searchLogs(request));
        expect(outcome).toMatch(new RegExp(`^(found|${readable})$`));
      },
    ),
    propertyOptions({ numRuns: 1000, limitMs: 25_000 }),
  );
}, 40_000);

test("a time of the year 10000 names its field", async () => {
  await using log = await startTestLog();
  for (const field of ["since", "until"]) {
    const filter = { [field]: { seconds: 9_000_000_000_000_000n } };
    expect(await outcomeOf(log.client.searchLogs({ filter }))).toBe(`filter.${field}`);
    const tail = log.client.tailLogs({ filter, backlog: 10 })[Symbol.asyncIterator]();
    expect(await outcomeOf(tail.next())).toBe(`filter.${field}`);
  }
});

test("a search that takes too long is ended, and too many at once are refused; afterwards all is well", async () => {
  await using log = await startTestLog();
  await insertRecords(log.sql, [line()]);
  const holder = await log.sql.connect();
  await holder.query("begin; lock table log_record");
  const codes = await Promise.all(
    Array.from({ length: 300 }, () =>
      log.client.searchLogs({}).then(
        () => "found",
        (error: unknown) => `${Code[ConnectError.from(error).code]} ${problemOf(error)?.code}`,
      ),
    ),
  );
  await holder.query("rollback");
  holder.release();
  const count = (code: string) => codes.filter((one) => one === code).length;
  expect(count("ResourceExhausted SEARCH_TOO_COSTLY")).toBeGreaterThanOrEqual(1);
  expect(count("ResourceExhausted TOO_MANY_SEARCHES")).toBeGreaterThanOrEqual(98);
  expect(new Set(codes).size).toBe(2);
  await expect.poll(() => outcomeOf(log.client.searchLogs({})), patience).toBe("found");
}, 60_000);

test("many who follow cost one reading, however many lines and filters there are", async () => {
  await using log = await startTestLog();
  let queries = 0;
  const counting: Database = Object.create(log.sql, {
    query: {
      value: (statement: Statement) => {
        queries += 1;
        return log.sql.query(statement);
      },
    },
  });
  const readings = createReadings(log.sql);
  await using tail = createTail({
    database: counting,
    readings,
    log: silentLogger,
    maxWatchers: 50,
  });
  const stop = new AbortController();
  const seen = Array.from({ length: 50 }, () => 0);
  const following = seen.map(async (_, index) => {
    const filter = index % 2 === 0 ? undefined : ({ text: "odd" } as never);
    for await (const found of tail.follow(filter, 0, stop.signal)) {
      seen[index] = (seen[index] ?? 0) + found.length;
    }
  });
  // Who has come while a line was on its way may have missed it.
  await expect
    .poll(async () => {
      await insertRecords(log.sql, [line({ message: "odd" })]);
      return Math.min(...seen);
    }, patience)
    .toBeGreaterThan(0);
  const before = await settled(() => [...seen]);
  queries = 0;
  for (let round = 0; round < 20; round++) {
    await insertRecords(log.sql, [line({ message: "odd" }), line({ message: "even" })]);
    tail.poke();
  }
  const expected = before.map((count, index) => count + (index % 2 === 0 ? 40 : 20));
  await expect.poll(() => seen, patience).toEqual(expected);
  // Fifty that look for themselves would have asked some thousand times.
  expect(queries).toBeLessThan(150);
  stop.abort();
  await Promise.all(following);
});

test("a watcher that has fallen far behind is told everything", async () => {
  await using log = await startTestLog();
  await using other = createDatabase({ url: log.databaseUrl, schema: "log", log: silentLogger });
  await using tail = createTail({
    database: log.sql,
    readings: createReadings(other),
    log: silentLogger,
    maxWatchers: 2,
  });
  const stop = new AbortController();
  const slow = tail.follow(undefined, 0, stop.signal);
  let quickLines = 0;
  const quick = (async () => {
    for await (const found of tail.follow(undefined, 0, stop.signal)) quickLines += found.length;
  })();
  // Both follow from here on: what is stored before a watcher's first look is not for it.
  let hasStarted = false;
  void slow.next().then(() => {
    hasStarted = true;
  });
  const announce = async () => {
    await insertRecords(log.sql, [line({ message: "start" })]);
    tail.poke();
    return hasStarted && quickLines > 0;
  };
  await expect.poll(announce, patience).toBe(true);
  const messages = Array.from({ length: 7000 }, (_, index) => `${index}`);
  for (let from = 0; from < messages.length; from += 1000) {
    const part = messages.slice(from, from + 1000);
    await insertRecords(
      log.sql,
      part.map((message) => line({ message })),
    );
    tail.poke();
  }
  const messagesOf = ({ value }: IteratorResult<FoundRecord[]>) =>
    ((value ?? []) as FoundRecord[])
      .map(({ message }) => message)
      .filter((message) => message !== "start");
  const got: string[] = [];
  await new Promise((resolve) => setTimeout(resolve, 1500));
  while (got.length < messages.length) {
    got.push(...messagesOf(await slow.next()));
  }
  expect(got).toEqual(messages);
  stop.abort();
  await slow.return(undefined);
  await quick;
});

test("lines that come live are picked as a search picks them", async () => {
  await using log = await startTestLog();
  const word = fc.constantFrom("paid", "PAID", "100%", "a_b", "\\", "order", "ö", "🧪", "");
  const message = fc.array(word, { maxLength: 4 }).map((words) => words.join(" "));
  const id = fc.constantFrom("", "ORD-1", "ORD-2");
  const atMs = fc.integer({ min: 0, max: 5 });
  const severity = fc.integer({ min: 0, max: 4 }) as fc.Arbitrary<Severity>;
  const time = (ms: number) => ({ seconds: 1_700_000_000n, nanos: ms * 1_000_000 });
  const lines = fc.sample(
    fc.record({ message, orderId: id, traceId: id, severity, service: word, event: word, atMs }),
    { numRuns: 300, seed: 7 },
  );
  const stored = lines.map((one) => line({ ...one, occurredAt: time(one.atMs) }));
  await insertRecords(log.sql, stored);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        text: message,
        orderId: id,
        traceId: id,
        service: word,
        minSeverity: severity,
        since: fc.option(atMs.map(time), { nil: undefined }),
        until: fc.option(atMs.map(time), { nil: undefined }),
      }),
      async (filter) => {
        const found = await searchRecords(log.sql, filter as never, undefined, 1000);
        const matches = createMatcher(filter as never);
        const picked = stored.filter((one) => matches({ ...one, searchText: searchTextOf(one) }));
        const ids = (all: readonly StoredRecord[]) => all.map(({ recordId }) => recordId).sort();
        expect(ids(picked)).toEqual(ids(found));
      },
    ),
    propertyOptions({ numRuns: 500 }),
  );
});

test("of more than may be kept, the oldest go", async () => {
  await using log = await startTestLog();
  const records = Array.from({ length: 4000 }, (_, index) =>
    line({ message: `${index} ${randomBytes(200).toString("base64")}` }),
  );
  await insertRecords(log.sql, records);
  const count = async () => {
    const sql = { text: "select count(*)::int as count from log_record" };
    return (await log.sql.query<{ count: number }>(sql)).rows[0]?.count ?? 0;
  };
  expect(await count()).toBe(4000);
  // Half a megabyte of some four and a half.
  await using _next = await log.startReplica({ LOG_RETENTION_MB: "0.5" });
  await expect.poll(count, patience).toBeLessThan(1500);
  const { records: kept } = await log.client.searchLogs({ pageSize: 1 });
  expect(kept[0]?.message).toMatch(/^3999 /);
  expect(await count()).toBeGreaterThan(200);
});

test("of lines that come too fast so many are stored as may be, and the rest is told of", async () => {
  await using log = await startTestLog({ env: { LOG_MAX_LINES_PER_SECOND: "5" } });
  await emit(log.bus, ...Array.from({ length: 190 }, () => record({ severity: Severity.INFO })));
  const metrics = async () => (await fetch(`${log.service.url}/metrics`)).text();
  await expect
    .poll(
      async () => Number(/dropped_records_total.* (\d+)$/m.exec(await metrics())?.[1]),
      patience,
    )
    .toBeGreaterThan(100);
  const { rows } = await (log as TestLog).sql.query<{ count: number }>({
    text: "SELECT count(*)::int AS count FROM log_record",
  });
  expect(rows[0]?.count).toBeLessThan(90);
  expect(rows[0]?.count).toBeGreaterThanOrEqual(50);
});

test.each(["LOG_RETENTION_MB", "LOG_MAX_LINES_PER_SECOND"])(
  "%s=0 is refused in one line",
  async (name) => {
    await expect(startTestLog({ env: { [name]: "0" } })).rejects.toMatchObject({
      code: "START_FAILED",
      variable: name,
    });
  },
);
