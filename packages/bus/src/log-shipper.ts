import { randomUUID } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LogsEmittedSchema } from "@smartcart/gen/events/v1/log_events_pb";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import { LogRecordSchema, Severity } from "@smartcart/gen/log/v1/log_pb";
import type { LogLine, LogSink } from "@smartcart/runtime";
import { silentLogger, startTimer } from "@smartcart/runtime";
import { createEvent } from "./event.ts";
import type { EventBus } from "./types.ts";

/** What a log shipper is made of. */
export interface LogShipperOptions {
  readonly bus: EventBus;
  /** Longest time a line waits to be sent; default 200. */
  readonly flushMs?: number;
  /**
   * Most lines kept while the queue is slow or away; default 10,000. What comes on top is dropped.
   */
  readonly maxBuffered?: number;
}

/** Ships log lines. Disposing it sends what is buffered, within two seconds. */
export interface LogShipper extends LogSink, AsyncDisposable {
  /** Lines given up so far. */
  dropped(): number;
}

const linesPerEvent = 200;
const eventsPerFlush = 10;
/** No timer runs while nothing is written: the first line of a batch schedules its flush. */
const longestPauseMs = 60_000;

/**
 * Ships log lines to queue `logs` as `LogsEmitted`. Best effort: a line that cannot be kept or sent
 * is counted. It never throws and never logs, since its own log line would have to be shipped too.
 */
export function createLogShipper(o: LogShipperOptions): LogShipper {
  const maxBuffered = o.maxBuffered ?? 10_000;
  let buffer: LogLine[] = [];
  let dropped = 0;

  async function flush(timeoutMs: number): Promise<void> {
    while (buffer.length > 0) {
      const lines = buffer.splice(0, linesPerEvent * eventsPerFlush);
      const events = chunk(lines).map((part) =>
        createEvent(LogsEmittedSchema, create(LogsEmittedSchema, { records: part.map(toRecord) }), {
          id: randomUUID(),
        }),
      );
      const { confirmed } = await o.bus.publish(events, { timeoutMs });
      if (confirmed.length === events.length) continue;
      // Back to the front, within the bound; a line that arrives twice is stored once, by its
      // record id.
      buffer = [...lines, ...buffer];
      dropped += buffer.splice(maxBuffered).length;
      return;
    }
  }

  const flushMs = o.flushMs ?? 200;
  const timer = startTimer({
    name: "log.ship",
    intervalMs: flushMs,
    longestMs: longestPauseMs,
    log: silentLogger,
    async run() {
      await flush(5_000);
      return buffer.length > 0 ? flushMs : longestPauseMs;
    },
  });
  return {
    write(line) {
      if (buffer.length === 0) timer.runWithin(flushMs);
      if (buffer.length < maxBuffered) buffer.push(line);
      else dropped++;
    },
    dropped: () => dropped,
    async [Symbol.asyncDispose]() {
      await timer[Symbol.asyncDispose]();
      await flush(2_000);
      dropped += buffer.length;
      buffer = [];
    },
  };
}

const severities: Readonly<Record<LogLine["severity"], Severity>> = {
  debug: Severity.DEBUG,
  info: Severity.INFO,
  warn: Severity.WARN,
  error: Severity.ERROR,
};

function toRecord(line: LogLine): LogRecord {
  const { recordId, service, event, message, orderId, traceId } = line;
  return create(LogRecordSchema, {
    recordId,
    service,
    event,
    message,
    orderId,
    traceId,
    occurredAt: timestampFromDate(line.occurredAt),
    severity: severities[line.severity],
    attributes: toJson(line.attributes),
  });
}

/** Attributes as JSON has them; a value that JSON cannot say becomes text. */
function toJson(attributes: LogLine["attributes"]): JsonObject {
  try {
    const text = JSON.stringify(attributes, (_, value: unknown) =>
      typeof value === "bigint" ? value.toString() : value,
    );
    return JSON.parse(text) as JsonObject;
  } catch (error) {
    return { unserializable: String(error) };
  }
}

function chunk(lines: readonly LogLine[]): LogLine[][] {
  const chunks: LogLine[][] = [];
  for (let from = 0; from < lines.length; from += linesPerEvent) {
    chunks.push(lines.slice(from, from + linesPerEvent));
  }
  return chunks;
}
