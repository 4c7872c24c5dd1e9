import { expect, test } from "vitest";
import { createHostCheck } from "./host-check.ts";

const onLoopback = createHostCheck({ listenHost: "127.0.0.1", allowedHosts: ["shop.test"] });
const onNetwork = createHostCheck({ listenHost: "0.0.0.0", allowedHosts: [] });
const named = createHostCheck({ listenHost: "0.0.0.0", allowedHosts: ["shop.example"] });

test.each([
  "localhost",
  "localhost:8080",
  "LOCALHOST:5173",
  "a.localhost",
  "127.0.0.1:1",
  "[::1]:8083",
  "shop.test:80",
  "localhost.",
  "",
  undefined,
])("on loopback %s is this machine", (host) => expect(onLoopback(host)).toBe(true));

test.each([
  "evil.example",
  "127.0.0.1.evil.example",
  "localhost.evil.example",
  "10.0.0.1",
  "localhost@evil.example",
  "evil.example/localhost",
  "a b",
  "[::1",
])("on loopback %s is not", (host) => expect(onLoopback(host)).toBe(false));

test("on a network any name will do until some are listed", () => {
  expect(onNetwork("order:8080")).toBe(true);
  expect(onNetwork("a/b")).toBe(false);
  expect(named("order:8080")).toBe(false);
  expect(named("Shop.Example")).toBe(true);
  expect(named("localhost")).toBe(true);
});
