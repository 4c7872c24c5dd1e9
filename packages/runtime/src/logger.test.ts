import { describe, expect, test } from "vitest";
import type { LogLine } from "./logger.ts";
import { createLogger } from "./logger.ts";
import { withSpan } from "./telemetry.ts";

function capture(level = "info") {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (text: string) => void lines.push(JSON.parse(text)) };
  return { log: createLogger({ service: "order", level, destination }), lines };
}

describe("createLogger", () => {
  test("writes one JSON object a line, with the fields as given", () => {
    const { log, lines } = capture();
    log.info("order.confirmed", { orderId: "ORD-1", totalMinor: 1250n, message: "done" });
    expect(lines).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        level: "info",
        service: "order",
        event: "order.confirmed",
        orderId: "ORD-1",
        totalMinor: 1250,
        message: "done",
      },
    ]);
  });

  test("names another part for a child that says so, once, in the line and for the sinks", () => {
    const written: string[] = [];
    const log = createLogger({
      service: "smartcart",
      destination: { write: (t) => void written.push(t) },
    });
    const lines: LogLine[] = [];
    log.addSink({ write: (line) => void lines.push(line) });
    log.child({ service: "order" }).info("order.confirmed");
    expect(written[0]?.match(/"service":"[^"]*"/g)).toEqual(['"service":"order"']);
    expect(lines[0]).toMatchObject({ service: "order", attributes: {} });
  });

  test("leaves out what is below its level", () => {
    const { log, lines } = capture("warn");
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    expect(lines.map((line) => line.event)).toEqual(["c", "d"]);
  });

  test("serialises errors with code and causes, and nothing else of them", () => {
    const { log, lines } = capture();
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED", secret: "x" });
    log.error("call.failed", { error: new Error("no answer", { cause }) });
    expect(lines[0]?.error).toEqual({
      name: "Error",
      message: "no answer",
      stack: expect.stringContaining("logger.test.ts"),
      cause: { name: "Error", message: "refused", code: "ECONNREFUSED", stack: expect.any(String) },
    });
  });

  test("adds the id of the active trace", () => {
    const { log, lines } = capture();
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
    withSpan("work", { traceparent, service: "order" }, () => log.info("inside"));
    log.info("outside");
    expect(lines.map((line) => line.traceId)).toEqual([traceId, undefined]);
  });

  test("hands lines to sinks as data, from children too, until they are taken away", () => {
    const { log } = capture();
    const seen: LogLine[] = [];
    const child = log.child({ orderId: "ORD-2", queue: "orders" });
    const remove = log.addSink({ write: (line) => void seen.push(line) });
    child.warn("delivery.retried", { attempt: 2, error: new Error("busy") });
    log.debug("too.quiet");
    remove();
    child.warn("delivery.retried");
    expect(seen).toEqual([
      {
        recordId: expect.stringMatching(/^[0-9a-f-]{36}-[0-9a-z]+$/),
        occurredAt: expect.any(Date),
        severity: "warn",
        service: "order",
        event: "delivery.retried",
        message: "",
        orderId: "ORD-2",
        traceId: "",
        attributes: {
          queue: "orders",
          attempt: 2,
          error: { name: "Error", message: "busy", stack: expect.any(String) },
        },
      },
    ]);
  });

  test("survives what cannot be serialised", () => {
    const { log, lines } = capture();
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const looped = new Error("loop");
    looped.cause = looped;
    log.error("odd", { circular, error: looped });
    log.error("odd", { error: circular });
    expect(lines).toHaveLength(2);
  });
});
