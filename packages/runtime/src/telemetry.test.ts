import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { currentTraceId, currentTraceparent, startTelemetry, withSpan } from "./telemetry.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const remote = `00-${traceId}-b7ad6b7169203331-01`;

describe("withSpan", () => {
  test("gives ids without any collector", () => {
    expect(currentTraceId()).toBeUndefined();
    const inside = withSpan("a", { service: "order" }, () => currentTraceparent());
    expect(inside).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    expect(currentTraceparent()).toBeUndefined();
  });

  test("continues a remote trace with a span of its own, across awaits", async () => {
    const inside = await withSpan("a", { traceparent: remote, service: "order" }, async () => {
      await sleep(1);
      return currentTraceparent();
    });
    expect(inside).toContain(traceId);
    expect(inside).not.toBe(remote);
  });

  test("nests in the active span", () => {
    const ids = withSpan("a", { service: "order" }, () => [
      currentTraceId(),
      withSpan("b", { service: "payment" }, () => currentTraceId()),
    ]);
    expect(ids[0]).toBeDefined();
    expect(ids[1]).toBe(ids[0]);
  });

  test.each(["", "garbage", `00-${"0".repeat(32)}-b7ad6b7169203331-01`])(
    "begins a new trace on the malformed traceparent %j",
    (traceparent) => {
      expect(withSpan("a", { traceparent, service: "order" }, currentTraceId)).toMatch(/[1-9a-f]/);
    },
  );

  test("throws on what the work threw", async () => {
    const sync = () => withSpan("a", { service: "order" }, () => expectedFailure());
    expect(sync).toThrow("expected");
    const async = withSpan("a", { service: "order" }, async () => expectedFailure());
    await expect(async).rejects.toThrow("expected");
  });
});

describe("startTelemetry", () => {
  test("exports the spans of each service, with their errors, when disposed of", async () => {
    const bodies: string[] = [];
    const collector = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      bodies.push(`${request.url} ${body}`);
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(collector, "listening");
    const { port } = collector.address() as AddressInfo;
    {
      await using _telemetry = startTelemetry({ otlpEndpoint: `http://127.0.0.1:${port}/` });
      const place = () =>
        withSpan("place", { service: "order", attributes: { orderId: "ORD-1" } }, () =>
          withSpan("charge", { service: "payment" }, () => expectedFailure()),
        );
      expect(place).toThrow("expected");
    }
    collector.close();
    const exported = bodies.join("\n");
    expect(exported).toContain("/v1/traces");
    for (const part of ["order", "payment", "place", "charge", "ORD-1", "expected failure"]) {
      expect(exported).toContain(part);
    }
  });

  test("a collector that is away neither fails nor delays the end for long", async () => {
    const telemetry = startTelemetry({ otlpEndpoint: "http://127.0.0.1:9" });
    withSpan("a", { service: "order" }, () => {});
    await telemetry[Symbol.asyncDispose]();
  });
});

function expectedFailure(): never {
  throw new Error("expected failure");
}
