import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import type { TestLog } from "./support.ts";
import { at, emit, record, startTestLog } from "./support.ts";

const patience = { timeout: 15_000 };

async function stored(log: TestLog, count: number): Promise<void> {
  const found = async () => (await log.client.searchLogs({ pageSize: 1000 })).records.length;
  await expect.poll(found, patience).toBe(count);
}

test.each(["postgres", "rabbitmq"] as const)(
  "on %s, what is emitted is found, newest first and once",
  async (engine) => {
    await using log = await startTestLog({ engine });
    const records = Array.from({ length: 5 }, (_, index) =>
      record({ message: `line ${index}`, attributes: { index, list: ["a"] } }),
    );
    await emit(log.bus, ...records);
    await emit(log.bus, ...records.slice(2));
    await emit(log.bus, record({ message: "last" }));
    await stored(log, 6);
    const { records: found, nextPageToken } = await log.client.searchLogs({});
    expect(found.slice(1)).toEqual(records.toReversed());
    expect(nextPageToken).toBe("");
  },
);

test("every condition narrows the search, and all of them together", async () => {
  await using log = await startTestLog();
  const order = record({ orderId: "ORD-1", message: "Paid with VISA", severity: Severity.INFO });
  const trouble = record({
    orderId: "ORD-1",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    service: "payment",
    event: "payment.refused",
    severity: Severity.ERROR,
    attributes: { reason: "card_declined" },
  });
  const other = record({ orderId: "ORD-2", severity: Severity.DEBUG, message: "100% sure" });
  await emit(log.bus, order, trouble, other);
  await stored(log, 3);

  const cases: [Parameters<typeof log.client.searchLogs>[0]["filter"], LogRecord[]][] = [
    [{ orderId: "ORD-1" }, [trouble, order]],
    [{ traceId: trouble.traceId }, [trouble]],
    [{ service: "order" }, [other, order]],
    [{ minSeverity: Severity.INFO }, [trouble, order]],
    [{ minSeverity: Severity.WARN }, [trouble]],
    [{ since: at(trouble) }, [other, trouble]],
    [{ until: at(trouble) }, [order]],
    [{ since: at(trouble), until: at(other) }, [trouble]],
    // Words of the message, the event and the attributes; upper and lower case alike; in any order.
    [{ text: "visa paid" }, [order]],
    [{ text: "PAYMENT.REFUSED" }, [trouble]],
    [{ text: "Card_Declined" }, [trouble]],
    [{ text: "payment visa" }, []],
    [{ text: "100%" }, [other]],
    [{ text: "0%s" }, []],
    [{ orderId: "ORD-1", text: "paid", minSeverity: Severity.INFO }, [order]],
    [{ orderId: "ORD-2", minSeverity: Severity.ERROR }, []],
    [{}, [other, trouble, order]],
  ];
  for (const [filter, expected] of cases) {
    const { records } = await log.client.searchLogs({ filter });
    expect(
      records,
      JSON.stringify(filter, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
    ).toEqual(expected);
  }
});

test("pages neither repeat nor skip, although several lines are of one instant and new ones come", async () => {
  await using log = await startTestLog();
  const instant = at(record());
  const records = Array.from({ length: 25 }, () => record({ occurredAt: instant }));
  await emit(log.bus, ...records);
  await stored(log, 25);
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await log.client.searchLogs({ pageSize: 10, pageToken });
    seen.push(...page.records.map(({ recordId }) => recordId));
    pageToken = page.nextPageToken;
    await emit(log.bus, record());
  } while (pageToken !== "");
  expect(seen).toEqual(records.map(({ recordId }) => recordId).toReversed());
});

test("a token that is none, and a page that is too large, are refused", async () => {
  await using log = await startTestLog();
  for (const request of [
    { pageToken: "nonsense" },
    { pageSize: 1001 },
    { filter: { text: "a\0" } },
  ]) {
    await expect(log.client.searchLogs(request)).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });
  }
});

test("a record that cannot be stored as it is does not take its neighbours with it", async () => {
  await using log = await startTestLog();
  const neighbours = [record({ message: "before" }), record({ message: "after" })];
  const [before, after] = neighbours;
  if (!before || !after) throw new Error("no neighbours");
  await emit(
    log.bus,
    before,
    record({ recordId: "a\0b", message: "with a \0", attributes: { "\0": "\0" } }),
    record({ recordId: "x".repeat(9000), orderId: "y".repeat(9000) }),
    record({ recordId: "", occurredAt: { seconds: -(10n ** 15n), nanos: -5 } }),
    after,
  );
  await stored(log, 5);
  const { records } = await log.client.searchLogs({ filter: { text: "with a" } });
  expect(records[0]?.message).toBe("with a \u{fffd}");
});

test("records that are too old are pruned, and come back no more", async () => {
  await using log = await startTestLog({ env: { LOG_RETENTION_DAYS: "10" } });
  const day = 24 * 60 * 60;
  const now = BigInt(Math.floor(Date.now() / 1000));
  const old = record({ occurredAt: { seconds: now - BigInt(11 * day) } });
  const fresh = record({ occurredAt: { seconds: now - BigInt(9 * day) } });
  await emit(log.bus, old, fresh);
  await stored(log, 2);
  // Pruning is the first thing that a process does.
  await using _next = await log.startReplica({ LOG_RETENTION_DAYS: "10" });
  await stored(log, 1);
  expect((await log.client.searchLogs({})).records).toEqual([fresh]);
});

test("a span of days that is none is refused in one line", async () => {
  await expect(startTestLog({ env: { LOG_RETENTION_DAYS: "0" } })).rejects.toMatchObject({
    code: "START_FAILED",
    variable: "LOG_RETENTION_DAYS",
  });
});
