import { expect, test } from "vitest";
import { parseConfig } from "@smartcart/runtime";
import { opsConfig } from "./config.ts";
import { addressesOf } from "./instance-addresses.ts";

const of = (env: Record<string, string>) => addressesOf(parseConfig(env, opsConfig));

test("services are where their variables say, or else on their usual ports", () => {
  const { order, shipping } = of({ ORDER_URL: "http://order:1" });
  expect(order).toEqual([{ baseUrl: "http://order:1" }]);
  expect(shipping).toEqual([{ baseUrl: "http://127.0.0.1:8086" }]);
});

test("OPS_INSTANCES names several processes of a service", () => {
  const services = of({
    OPS_INSTANCES: "order=http://a:1, order=http://b:2/,status-hub=http://c:3",
  });
  expect(services.order).toEqual([{ baseUrl: "http://a:1" }, { baseUrl: "http://b:2" }]);
  expect(services["status-hub"]).toEqual([{ baseUrl: "http://c:3" }]);
  expect(services.log).toEqual([{ baseUrl: "http://127.0.0.1:8084" }]);
});

test.each(["moon=http://a:1", "order", "order=a:1"])(
  "OPS_INSTANCES=%s is refused",
  (OPS_INSTANCES) => {
    expect(() => of({ OPS_INSTANCES })).toThrow(/^OPS_INSTANCES: "/);
  },
);
