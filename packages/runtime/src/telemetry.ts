import type { Context, Span, SpanContext } from "@opentelemetry/api";
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { parseTraceParent, W3CTraceContextPropagator } from "@opentelemetry/core";
import { concealSecrets } from "./secrets.ts";
import type { Tracers } from "./tracers.ts";
import { createTracers } from "./tracers.ts";

interface TelemetryOptions {
  /** Base URL of an OTLP/HTTP collector. Unset: spans have ids, and are neither recorded nor exported. */
  otlpEndpoint?: string | undefined;
}

let contextReady = false;
let tracers: Tracers | undefined;

/**
 * Makes traces follow calls and promises, and exports spans when an endpoint is given. Global to the process;
 * a second call while the first is alive changes nothing. Disposing exports what is left, for two seconds at most.
 */
export function startTelemetry(o: TelemetryOptions): AsyncDisposable {
  prepareContext();
  if (tracers || !o.otlpEndpoint) return { async [Symbol.asyncDispose]() {} };
  const mine = createTracers(o.otlpEndpoint);
  tracers = mine;
  return {
    async [Symbol.asyncDispose]() {
      if (tracers === mine) tracers = undefined;
      await mine.shutdown();
    },
  };
}

/** The active span as a W3C `traceparent` header (Trace Context, level 1); undefined outside of any span. */
export function currentTraceparent(): string | undefined {
  const active = trace.getSpanContext(context.active());
  if (!active) return undefined;
  const flags = active.traceFlags.toString(16).padStart(2, "0");
  return `00-${active.traceId}-${active.spanId}-${flags}`;
}

/** The id of the active trace, 32 hex digits; undefined outside of any span. */
export function currentTraceId(): string | undefined {
  return trace.getSpanContext(context.active())?.traceId;
}

interface SpanOptions {
  /** The span to continue, from another process. Undefined or malformed: the active span, else a new trace. */
  traceparent?: string | undefined;
  /** The service that does the work: "order". */
  service: string;
  attributes?: Record<string, string | number>;
}

/**
 * Runs `fn` inside a new span, and ends the span when `fn` has returned or its promise has settled. What `fn` throws
 * is recorded on the span and thrown on. Where nothing is exported there are ids alone, and spans within a span share its id.
 */
export function withSpan<T>(name: string, o: SpanOptions, fn: () => T): T {
  prepareContext();
  if (!tracers) return withIds(o.traceparent, fn);
  const parent = remoteParent(o.traceparent) ?? context.active();
  const options = o.attributes ? { attributes: o.attributes } : {};
  const span = tracers.tracer(o.service).startSpan(name, options, parent);
  return context.with(trace.setSpan(parent, span), () => finish(span, fn));
}

/** Ids without a span: a span that is not recorded costs 20 times as much, and only its ids are visible. */
function withIds<T>(traceparent: string | undefined, fn: () => T): T {
  const remote = traceparent ? parseTraceParent(traceparent) : null;
  if (!remote && trace.getSpan(context.active())) return fn();
  const ids = new Ids(remote?.traceId);
  return context.with(trace.setSpanContext(remote ? ROOT_CONTEXT : context.active(), ids), fn);
}

/** Generated at first use, by a log line or a call to another service: most calls have neither. */
class Ids implements SpanContext {
  readonly traceFlags = TraceFlags.NONE;
  #traceId: string | undefined;
  #spanId: string | undefined;

  constructor(traceId: string | undefined) {
    this.#traceId = traceId;
  }

  get traceId(): string {
    this.#traceId ??= randomHex(4);
    return this.#traceId;
  }

  get spanId(): string {
    this.#spanId ??= randomHex(2);
    return this.#spanId;
  }
}

/** So many words of eight hex digits, as the SDK draws its ids; not all of them are 0. */
function randomHex(words: number): string {
  let text = "";
  for (let i = 0; i < words; i += 1) {
    text += Math.ceil(Math.random() * 0xffff_ffff)
      .toString(16)
      .padStart(8, "0");
  }
  return text;
}

function finish<T>(span: Span, fn: () => T): T {
  let result: T;
  try {
    result = fn();
  } catch (error) {
    fail(span, error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    span.end();
    return result;
  }
  // `then` with two arguments rather than `finally`: one promise less on the hot path
  return result.then(
    (value) => {
      span.end();
      return value;
    },
    (error) => {
      fail(span, error);
      throw error;
    },
  ) as T;
}

function fail(span: Span, error: unknown): void {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const safe = concealSecrets(message);
  span.recordException({ name, message: safe, stack: concealSecrets(stack ?? "") });
  span.setStatus({ code: SpanStatusCode.ERROR, message: safe });
  span.end();
}

function remoteParent(traceparent: string | undefined): Context | undefined {
  const remote = traceparent ? parseTraceParent(traceparent) : null;
  return remote ? trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true }) : undefined;
}

/** Registers the globals, so that other libraries which speak OpenTelemetry see the same context. */
function prepareContext(): void {
  if (contextReady) return;
  contextReady = true;
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}
