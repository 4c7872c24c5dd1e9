import { expect, test } from "vitest";
import { isLoopback, serverUrl } from "./loopback.ts";

test.each(["127.0.0.1", "127.8.8.8", "::1", "[::1]", "::ffff:127.0.0.1", "localhost"])(
  "%s is this machine",
  (host) => expect(isLoopback(host)).toBe(true),
);

test.each(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org", "order"])(
  "%s may be reached by others",
  (host) => expect(isLoopback(host)).toBe(false),
);

test.each([
  ["127.0.0.1", "http://127.0.0.1:80"],
  ["::1", "http://[::1]:80"],
  ["0.0.0.0", "http://127.0.0.1:80"],
  ["::", "http://localhost:80"],
  ["order", "http://order:80"],
])("what listens on %s is reached by %s", (host, url) => expect(serverUrl(host, 80)).toBe(url));
