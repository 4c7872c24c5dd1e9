import { expect, test } from "vitest";
import { requireTokenOrLoopback } from "./access.ts";
import { parseOpsConfig } from "./config.ts";
import { addressesOf } from "./parts.ts";

const of = (env: Record<string, string>) => addressesOf(parseOpsConfig(env));

test("parts are where their variables say, or else on their usual ports", () => {
  const { order, shipping } = of({ ORDER_URL: "http://order:1" });
  expect(order).toEqual([{ baseUrl: "http://order:1" }]);
  expect(shipping).toEqual([{ baseUrl: "http://127.0.0.1:8086" }]);
});

test("OPS_PARTS names several processes of a part", () => {
  const parts = of({ OPS_PARTS: "order=http://a:1, order=http://b:2/,status-hub=http://c:3" });
  expect(parts.order).toEqual([{ baseUrl: "http://a:1" }, { baseUrl: "http://b:2" }]);
  expect(parts["status-hub"]).toEqual([{ baseUrl: "http://c:3" }]);
  expect(parts.log).toEqual([{ baseUrl: "http://127.0.0.1:8084" }]);
});

test.each(["moon=http://a:1", "order", "order=a:1"])("OPS_PARTS=%s is refused", (OPS_PARTS) => {
  expect(() => of({ OPS_PARTS })).toThrow(/^OPS_PARTS: "/);
});

test("without a token the service is for this machine only", () => {
  expect(() => requireTokenOrLoopback("127.0.0.1", undefined)).not.toThrow();
  expect(() => requireTokenOrLoopback("0.0.0.0", "0123456789abcdef")).not.toThrow();
  expect(() => requireTokenOrLoopback("0.0.0.0", undefined)).toThrow(/^OPS_TOKEN is not set/);
});
