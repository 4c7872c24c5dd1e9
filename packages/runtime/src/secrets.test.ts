import { describe, expect, test } from "vitest";
import type { LogLine } from "./logger.ts";
import { createLogger } from "./logger.ts";
import { concealSecrets, registerPasswordOf, registerSecret } from "./secrets.ts";

const odd = 'quote" and \\backslash';
registerSecret("a-secret-of-the-mesh");
registerSecret(odd);
registerPasswordOf(new URL("postgres://shop:p%C3%A4ss%2Fword%20xy@db/shop?password=in-the-query"));
const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";

test.each([
  ["key a-secret-of-the-mesh.", "key [redacted]."],
  [JSON.stringify({ key: odd }), '{"key":"[redacted]"}'],
  ["p%C3%A4ss%2Fword%20xy or päss/word xy", "[redacted] or [redacted]"],
  ["connect to amqp://me:hunter2@mq:5672 failed", "connect to amqp://me:[redacted]@mq:5672 failed"],
  [
    "postgres:///shop?user=me&password=hunter2&x=1",
    "postgres:///shop?user=me&password=[redacted]&x=1",
  ],
  ["Authorization: Bearer abc.DEF-1234567", "Authorization: Bearer [redacted]"],
  [
    `protocols smartcart, smartcart.bearer.${jwt}`,
    "protocols smartcart, smartcart.bearer.[redacted]",
  ],
  [`token ${jwt}`, "token [redacted]"],
])("%s", (text, expected) => expect(concealSecrets(text)).toBe(expected));

test.each([
  "http://127.0.0.1:8080/orders?userId=u1",
  "must look like amqp://user:password@host:5672",
  "smartcart.order.v1.OrderService/GetOrder",
  "the bearer of bad news",
])("leaves %s as it is", (text) => expect(concealSecrets(text)).toBe(text));

test("a secret that is a word tears no text apart", () => {
  registerSecret("postgres");
  expect(concealSecrets("postgres is not ready")).toBe("postgres is not ready");
});

describe("a log line", () => {
  const written: string[] = [];
  const lines: LogLine[] = [];
  const log = createLogger({
    service: "order",
    destination: { write: (t) => void written.push(t) },
  });
  log.addSink({ write: (line) => void lines.push(line) });

  test("has no secret, for the output and for the sinks", () => {
    const error = new Error("no answer from amqp://me:hunter2@mq", { cause: { token: jwt } });
    log.error("call.failed", { message: `Bearer ${jwt}`, error, nested: [{ deep: odd }] });
    const all = written.join("") + JSON.stringify(lines);
    expect(all).toContain("call.failed");
    expect(all).not.toMatch(/hunter2|eyJ|backslash/);
  });

  test("names a message of the contract, and shows nothing of it", () => {
    const message = { $typeName: "smartcart.order.v1.Order", address: "1 Main St" };
    log.info("order.seen", { order: message, orders: [message] });
    const all = (written.at(-1) ?? "") + JSON.stringify(lines.at(-1));
    expect(all).toContain('"order":"smartcart.order.v1.Order"');
    expect(all).not.toContain("Main");
  });
});
