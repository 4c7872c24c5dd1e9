import { isMessage } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { LogsEmittedSchema } from "@smartcart/gen/events/v1/log_events_pb";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import { createLogger, silentLogger } from "@smartcart/runtime";
import { createTestDatabase } from "@smartcart/testkit";
import type { EventBus } from "../src/index.ts";
import { createLogShipper, openBus } from "../src/index.ts";
import { eventually } from "./eventually.ts";

const nowhere = { write: () => {} };

it("ships what a logger writes to queue logs, in order", async () => {
  await using server = await createTestDatabase();
  await using bus = await openBus({ databaseUrl: server.url, name: "test", log: silentLogger });
  const records: LogRecord[] = [];
  await using _ = await bus.consume("logs", {
    name: "log",
    log: silentLogger,
    async handle(batch) {
      for (const { message } of batch) {
        if (isMessage(message, LogsEmittedSchema)) records.push(...message.records);
      }
      return batch.map(() => ({ kind: "ack" }));
    },
  });
  {
    await using shipper = createLogShipper({ bus });
    const log = createLogger({ service: "order", destination: nowhere, sinks: [shipper] });
    for (let line = 0; line < 500; line++) log.info("order.confirmed", { orderId: `ORD-${line}` });
    log.warn("order.odd", {
      message: "odd",
      amount: 12n,
      nested: { ok: true },
      error: new Error("x"),
    });
  }
  await eventually(
    () => records.length,
    (count) => count === 501,
  );
  expect(records[0]).toMatchObject({
    service: "order",
    event: "order.confirmed",
    orderId: "ORD-0",
  });
  expect(records[499]?.orderId).toBe("ORD-499");
  expect(records[500]).toMatchObject({
    severity: Severity.WARN,
    message: "odd",
    attributes: { amount: "12", nested: { ok: true }, error: { message: "x" } },
  });
});

it("keeps a bounded number of lines while the queue is away, and counts the rest", async () => {
  const down: Pick<EventBus, "publish"> = {
    publish: async (events) => ({
      confirmed: [],
      unknown: events.map(({ id }) => id),
      unroutable: [],
    }),
  };
  const shipper = createLogShipper({ bus: down as EventBus, maxBuffered: 100 });
  const log = createLogger({ service: "order", destination: nowhere, sinks: [shipper] });
  for (let line = 0; line < 250; line++) log.info("order.confirmed");
  expect(shipper.dropped()).toBe(150);
  await shipper[Symbol.asyncDispose]();
  expect(shipper.dropped()).toBe(250);
});
