import { describe, expect, test } from "vitest";
import { contentSecurityPolicy, isPage, proxyRules, upstreamFor } from "../proxy-rules.ts";
import { parseRoute } from "./route.ts";

const navigation = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

describe("upstreamFor", () => {
  test.each([
    ["/placeOrder", "order"],
    ["/orders", "order"],
    ["/orders?userId=u1", "order"],
    ["/orders/ORD-1", "order"],
    ["/orders/ORD-1/events?afterSequence=2", "order"],
    ["/orders/ORD-1/cancel", "order"],
    ["/openapi.json", "order"],
    ["/docs", "order"],
    ["/docs/swagger-ui.css", "order"],
    ["/smartcart.order.v1.OrderService/GetOrder", "order"],
    ["/smartcart.inventory.v1.InventoryService/WatchStock", "inventory"],
    ["/smartcart.log.v1.LogService/SearchLogs", "log"],
    ["/ws", "status"],
  ])("a program that asks for %s gets the %s service", (path, upstream) => {
    expect(upstreamFor({ path, accept: "application/json" })).toBe(upstream);
    expect(upstreamFor({ path, accept: "*/*" })).toBe(upstream);
    expect(upstreamFor({ path })).toBe(upstream);
  });

  test.each([
    "/orders",
    "/orders/",
    "/orders?userId=u1",
    "/orders/ORD-1",
    "/orders/a/b",
    "/orders/a/b/events",
  ])("a browser that navigates to %s gets the page", (path) => {
    expect(upstreamFor({ path, accept: navigation })).toBeUndefined();
  });

  test.each(["/docs", "/openapi.json", "/orders/ORD-1/events", "/orders/ORD-1/shipment"])(
    "a browser that navigates to %s gets what the service has there",
    (path) => {
      expect(upstreamFor({ path, accept: navigation })).toBe("order");
    },
  );

  test.each(["/", "/checkout", "/assets/index.js", "/favicon.svg", "/ordersx", "/wss", "/docsy"])(
    "%s belongs to the page's own server",
    (path) => {
      expect(upstreamFor({ path, accept: "*/*" })).toBeUndefined();
    },
  );

  test("no two rows claim the same path", () => {
    for (const rule of proxyRules) {
      const others = proxyRules.filter((other) => other !== rule);
      expect(others.filter((other) => rule.path.startsWith(`${other.path}/`))).toEqual([]);
    }
  });
});

test.each([
  "/",
  "/checkout",
  "/checkout/",
  "/ops",
  "/orders",
  "/orders/",
  "/orders/ORD-1",
  "/products/mug",
  "/auth/callback",
])("%s is a page, for the server as for the page itself", (path) => {
  expect(isPage(path)).toBe(true);
  expect(parseRoute(path).page).not.toBe("not-found");
});

test.each([
  "/nowhere",
  "/auth",
  "/auth/config",
  "/auth/callback/x",
  "/checkout/x",
  "/products",
  "/products/mug/x",
  "/orders/ORD-1/x",
  "/Checkout",
  "/assets/index.js",
])("%s is none", (path) => {
  expect(isPage(path)).toBe(false);
  expect(parseRoute(path).page).toBe("not-found");
});

test("scripts may call the page's own origin, and that of an OpenID provider where there is one", () => {
  expect(contentSecurityPolicy()).not.toContain("connect-src");
  expect(contentSecurityPolicy("https://issuer.example")).toContain(
    "; connect-src 'self' https://issuer.example; ",
  );
  expect(contentSecurityPolicy()).toContain("; img-src 'self' https:; ");
});
