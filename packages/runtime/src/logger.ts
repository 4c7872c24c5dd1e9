import { randomUUID } from "node:crypto";
import type { DestinationStream, Logger as PinoLogger } from "pino";
import { pino } from "pino";
import { Counter } from "prom-client";
import { writeOutput } from "./output.ts";
import { concealSecrets } from "./secrets.ts";
import { serializeError } from "./serialize-error.ts";
import { currentTraceId } from "./telemetry.ts";

/** The fields of a line beside its event. `message` is for people, `error` is serialised with code, causes and stack. */
export type LogFields = Readonly<Record<string, unknown>> & {
  orderId?: string;
  messageId?: string;
  message?: string;
  error?: unknown;
};

type Severity = "debug" | "info" | "warn" | "error";

/** Writes structured lines. `event` is a fixed name such as `order.confirmed`, what varies goes into the fields. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger that adds these fields to each of its lines; `service` replaces the service. It shares the level and the sinks. */
  child(fields: LogFields): Logger;
  /** Returns when every line so far has been handed to the operating system. */
  flush(): void;
}

/** The logger of a process; log shippers are added to it once they can be built. */
export interface RootLogger extends Logger {
  /** Also passes every later line, of children too, to `sink`. Returns the function that removes it. */
  addSink(sink: LogSink): () => void;
}

/** A written line as data. */
export interface LogLine {
  /** Unique: an id of the process, and a number that counts up. */
  readonly recordId: string;
  readonly occurredAt: Date;
  readonly severity: Severity;
  readonly service: string;
  readonly event: string;
  /** "" where none. */
  readonly message: string;
  /** "" where none. */
  readonly orderId: string;
  /** W3C trace id, "" where none. */
  readonly traceId: string;
  /** All other fields, as given; errors are serialised. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Receives lines beside the destination. `write` must neither throw nor block. */
export interface LogSink {
  write(line: LogLine): void;
}

interface LoggerOptions {
  /** The service that writes: "order". */
  service: string;
  /** Least severe lines that are written. Default "info". */
  level?: string;
  /** Where the JSON lines go. Default: standard output. */
  destination?: DestinationStream;
  sinks?: readonly LogSink[];
}

/**
 * A logger that writes one JSON object per line: level, time, service, event, traceId (when a span is active) and the
 * fields. Writing is synchronous: a line is with the operating system when the call returns, whatever happens next.
 * Secrets are redacted. Of a message of the contract only the type name is written, since it may hold personal data.
 */
export function createLogger(o: LoggerOptions): RootLogger {
  const sinks = new Set<LogSink>(o.sinks);
  const writer = pino(
    {
      base: null,
      level: o.level ?? "info",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: serializeError },
    },
    concealing(o.destination ?? standardOutput),
  );
  const root = wrap({ service: o.service, writer, bound: {}, sinks });
  return {
    ...root,
    addSink(sink) {
      sinks.add(sink);
      return () => void sinks.delete(sink);
    },
  };
}

/** Lines that standard output did not take, since it was closed or the disk full. */
export const lostLines = new Counter({
  name: "process_log_lines_lost_total",
  help: "Log lines that standard output did not take",
  registers: [],
});

/** Writes nothing. For tests. */
export const silentLogger: RootLogger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
  flush() {},
  addSink: () => () => {},
};

/** A line that standard output does not accept is counted and not reported; the sinks receive it nevertheless. */
const standardOutput: DestinationStream = {
  write(line) {
    // Secrets are redacted in every line already.
    if (writeOutput("stdout", line, { withSecrets: true }) !== undefined) lostLines.inc();
  },
};

function concealing(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(concealSecrets(line)) };
}

interface Core {
  readonly service: string;
  readonly writer: PinoLogger;
  readonly bound: LogFields;
  readonly sinks: ReadonlySet<LogSink>;
}

function wrap(core: Core): Logger {
  const at = (severity: Severity) => (event: string, fields?: LogFields) =>
    write(core, severity, event, fields);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child({ service, ...fields }) {
      const writer = core.writer.child(fields);
      const name = typeof service === "string" ? service : core.service;
      return wrap({ ...core, service: name, writer, bound: { ...core.bound, ...fields } });
    },
    flush: () => core.writer.flush(),
  };
}

function write(core: Core, severity: Severity, event: string, given?: LogFields): void {
  if (!core.writer.isLevelEnabled(severity)) return;
  const fields = given && withoutMessages(given);
  const traceId = currentTraceId();
  core.writer[severity]({ service: core.service, event, traceId, ...fields });
  if (core.sinks.size === 0) return;
  const line = toLine(core, severity, event, traceId, fields);
  for (const sink of core.sinks) sink.write(line);
}

function withoutMessages(fields: LogFields): LogFields {
  if (!Object.values(fields).some((value) => nameOf(value) !== value)) return fields;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, nameOf(value)]));
}

/** The type of a protobuf message, or of each in a list; any other value as it is. */
function nameOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    const names = value.map(nameOf);
    return names.some((name, i) => name !== value[i]) ? names : value;
  }
  const isMessage = typeof value === "object" && value !== null && "$typeName" in value;
  return isMessage ? value.$typeName : value;
}

/** Random for each process. Ids that count up are cheap to draw, and lie side by side in the index of the log. */
const processId = randomUUID();
let records = 0;

function toLine(
  core: Core,
  severity: Severity,
  event: string,
  traceId: string | undefined,
  fields: LogFields | undefined,
): LogLine {
  const { message = "", orderId = "", error, ...others } = { ...core.bound, ...fields };
  const attributes = error === undefined ? others : { ...others, error: serializeError(error) };
  return {
    recordId: `${processId}-${(records++).toString(36)}`,
    occurredAt: new Date(),
    severity,
    service: core.service,
    event,
    message: concealSecrets(message),
    orderId,
    traceId: traceId ?? "",
    attributes: concealed(attributes),
  };
}

/** Attributes with a secret are converted to JSON without it; all others stay as they are. */
function concealed(attributes: LogLine["attributes"]): LogLine["attributes"] {
  try {
    const text = JSON.stringify(attributes, (_, value: unknown) =>
      typeof value === "bigint" ? value.toString() : value,
    );
    const safe = concealSecrets(text);
    return safe === text ? attributes : (JSON.parse(safe) as LogLine["attributes"]);
  } catch {
    // Circular: each sink rejects it with an error of its own.
    return attributes;
  }
}
