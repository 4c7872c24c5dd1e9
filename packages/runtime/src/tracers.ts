import type { Tracer } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { withTimeout } from "./with-timeout.ts";

/** The tracers of a process, one for each service in it. */
export interface Tracers {
  tracer(service: string): Tracer;
  /** Exports what is left, for two seconds at most. */
  shutdown(): Promise<void>;
}

const shutdownBoundMs = 2_000;

/**
 * A provider for each service, because OpenTelemetry knows a service by the resource of its provider; all share one
 * queue and one exporter.
 */
export function createTracers(otlpEndpoint: string): Tracers {
  const processor = new BatchSpanProcessor({ exporter: lazyExporter(otlpEndpoint) });
  const sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() });
  const byService = new Map<string, Tracer>();
  return {
    tracer(service) {
      const known = byService.get(service);
      if (known) return known;
      const provider = new TracerProvider({
        resource: resourceFromAttributes({ "service.name": service }),
        sampler,
        spanProcessors: [processor],
      });
      const tracer = provider.getTracer("smartcart");
      byService.set(service, tracer);
      return tracer;
    },
    async shutdown() {
      // an unreachable collector must neither delay the end of a process nor make it fail
      const stopped = processor.shutdown().catch(() => {});
      await withTimeout(stopped, shutdownBoundMs, () => {});
    },
  };
}

/** The exporter is loaded at the first export: most processes never need its 60 ms and 4 MB. */
function lazyExporter(otlpEndpoint: string): SpanExporter {
  let loading: Promise<SpanExporter> | undefined;
  const load = () => {
    loading ??= import("@opentelemetry/exporter-trace-otlp-http").then(
      ({ OTLPTraceExporter }) =>
        new OTLPTraceExporter({ url: `${otlpEndpoint.replace(/\/+$/, "")}/v1/traces` }),
    );
    return loading;
  };
  return {
    export(spans: ReadableSpan[], done) {
      load().then(
        (exporter) => exporter.export(spans, done),
        (error) => done({ code: 1, error }),
      );
    },
    shutdown: async () => (await loading)?.shutdown(),
    forceFlush: async () => (await loading)?.forceFlush?.(),
  };
}
