import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { EventBus } from "@smartcart/bus";
import { createEvent, openBus } from "@smartcart/bus";
import { LogsEmittedSchema } from "@smartcart/gen/events/v1/log_events_pb";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import { LogRecordSchema, Severity } from "@smartcart/gen/log/v1/log_pb";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { createServiceClient } from "@smartcart/mesh";
import { parseConfig, silentLogger } from "@smartcart/runtime";
import type { RunningService } from "@smartcart/service";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { createTestBroker, createTestDatabase } from "@smartcart/testkit";
import { logConfig, startLog } from "../src/index.ts";

/** A running log service with a database and a queue of its own. */
export interface TestLog extends AsyncDisposable {
  readonly service: RunningService;
  readonly client: ReturnType<typeof createClient>;
  readonly bus: EventBus;
  readonly databaseUrl: string;
  readonly sql: Database;
  /** Starts one more process' worth of the service on the same database and queue. */
  startReplica(env: Record<string, string>): Promise<RunningService>;
}

export async function startTestLog(
  o: { engine?: "postgres" | "rabbitmq"; env?: Record<string, string> } = {},
): Promise<TestLog> {
  await using starting = new AsyncDisposableStack();
  const { url: databaseUrl } = starting.use(await createTestDatabase());
  const amqpUrl =
    o.engine === "rabbitmq" ? starting.use(await createTestBroker()).amqpUrl : undefined;
  const bus = starting.use(
    await openBus({ amqpUrl, databaseUrl, name: "test", log: silentLogger }),
  );
  const sql = starting.use(createDatabase({ url: databaseUrl, schema: "log", log: silentLogger }));
  const startReplica = (env: Record<string, string> = {}) => {
    const config = parseConfig({ LOG_PORT: "0", ...env }, logConfig);
    return startLog({ config, databaseUrl, bus, log: silentLogger });
  };
  const service = starting.use(await startReplica(o.env));
  const client = starting.use(createClient(service.url));
  const running = starting.move();
  return {
    service,
    client,
    bus,
    databaseUrl,
    sql,
    startReplica,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function createClient(baseUrl: string) {
  return createServiceClient(LogService, { caller: "test", baseUrl, log: silentLogger });
}

/** A record with an id of its own, a second after the one before. */
export function record(o: MessageInitShape<typeof LogRecordSchema> = {}): LogRecord {
  clockMs += 1000;
  return create(LogRecordSchema, {
    recordId: randomUUID(),
    occurredAt: timestampFromDate(new Date(clockMs)),
    severity: Severity.INFO,
    service: "order",
    event: "order.confirmed",
    attributes: {},
    ...o,
  });
}

let clockMs = Date.now() - 24 * 60 * 60 * 1000;

/** Emits records as a service does, in one message. */
export async function emit(bus: EventBus, ...records: readonly LogRecord[]): Promise<void> {
  const message = create(LogsEmittedSchema, { records: [...records] });
  const report = await bus.publish([createEvent(LogsEmittedSchema, message, { id: randomUUID() })]);
  if (report.confirmed.length !== 1) throw new Error("the queue did not confirm");
}

export function at(record: LogRecord | undefined) {
  if (!record?.occurredAt) throw new Error("no record");
  return record.occurredAt;
}
