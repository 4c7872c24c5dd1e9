import { expect, test } from "vitest";
import { createSubscriptions } from "./subscriptions.ts";

test("a topic exists as long as it has a member", () => {
  const subscriptions = createSubscriptions<string>();
  const leave = subscriptions.join("orders", "a");
  subscriptions.join("orders", "a");
  subscriptions.join("orders", "b");
  subscriptions.join("users", "a");
  expect([...subscriptions.members("orders")]).toEqual(["a", "b"]);
  leave();
  leave();
  subscriptions.leave("users", "a");
  subscriptions.leave("users", "b");
  expect([...subscriptions.members("orders")]).toEqual(["b"]);
  expect([...subscriptions.members("users")]).toEqual([]);
  expect([[...subscriptions.topics()], subscriptions.size]).toEqual([["orders"], 1]);
});
