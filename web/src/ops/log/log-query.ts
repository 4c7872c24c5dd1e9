import type { MessageInitShape } from "@bufbuild/protobuf";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import type { LogFilterSchema } from "@smartcart/gen/log/v1/log_service_pb";

/** What the operator asked the log for. */
export interface LogQuery {
  /** Words, an order's id or a trace id. */
  readonly words: string;
  /** A service's name; "" for any. */
  readonly service: string;
  readonly minSeverity: Severity;
}

export const anyLog: LogQuery = { words: "", service: "", minSeverity: Severity.UNSPECIFIED };

/** The filter of a query: an order or a trace is recognized by what it looks like, everything else is words. */
export function filterOf(query: LogQuery): MessageInitShape<typeof LogFilterSchema> {
  const { service, minSeverity } = query;
  const words = query.words.trim();
  if (/^ORD-\S+$/i.test(words)) return { orderId: words.toUpperCase(), service, minSeverity };
  if (/^[0-9a-f]{32}$/i.test(words)) return { traceId: words.toLowerCase(), service, minSeverity };
  return { text: words, service, minSeverity };
}

/** The query in an address: "?log=ORD-1". */
export function logQueryIn(search: string): LogQuery {
  return { ...anyLog, words: new URLSearchParams(search).get("log") ?? "" };
}

/** The severity in a word. */
export function severityWord(severity: Severity): "debug" | "info" | "warn" | "error" {
  switch (severity) {
    case Severity.DEBUG:
      return "debug";
    case Severity.WARN:
      return "warn";
    case Severity.ERROR:
      return "error";
    default:
      return "info";
  }
}
