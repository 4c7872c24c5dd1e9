import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { createAdmission, isAllowedOrigin } from "./admission.ts";

function request(o: {
  origin?: string;
  /** The host that a proxy was asked for. */
  proxied?: string;
  host?: string;
  to?: string;
  from?: string;
}): IncomingMessage {
  const { origin, host = "localhost:8083", to = "127.0.0.1", from = "127.0.0.1", proxied } = o;
  const headers = {
    host,
    ...(origin && { origin }),
    ...(proxied && { "x-forwarded-host": proxied }),
  };
  return {
    headers,
    socket: { localAddress: to, remoteAddress: from },
  } as unknown as IncomingMessage;
}

test.each([
  [{}, true],
  [{ origin: "http://localhost:5173" }, true],
  [{ origin: "http://127.0.0.1:5173" }, true],
  [{ origin: "http://[::1]:5173" }, true],
  [{ origin: "http://evil.example" }, false],
  [{ origin: "null" }, false],
  // A name that its owner lets point to this machine.
  [{ origin: "http://evil.example", host: "evil.example:8083" }, false],
  // The page came through a proxy on this machine, by the address of the machine.
  [{ origin: "http://192.168.1.5:5173", host: "192.168.1.5:5173" }, true],
  [{ origin: "http://shop.example", host: "shop.example", to: "10.0.0.7" }, true],
  [{ origin: "http://evil.example", host: "shop.example", to: "10.0.0.7" }, false],
  [{ origin: "http://shop.example", proxied: "shop.example", host: "hub", to: "10.0.0.7" }, true],
  [{ origin: "http://evil.example", proxied: "shop.example", host: "hub", to: "10.0.0.7" }, false],
])("without a list, %j: %s", (o, expected) => {
  expect(isAllowedOrigin(request(o), [])).toBe(expected);
});

test("with a list, exactly those on it", () => {
  const allowed = ["https://shop.example"];
  expect(isAllowedOrigin(request({ origin: "https://shop.example" }), allowed)).toBe(true);
  expect(isAllowedOrigin(request({ origin: "http://localhost:5173" }), allowed)).toBe(false);
  expect(isAllowedOrigin(request({ origin: "http://localhost:5173" }), ["*"])).toBe(true);
});

test("an address has so many connections, and gets its places back", () => {
  const admission = createAdmission({ allowedOrigins: [], maxConnections: 10, maxPerAddress: 2 });
  const mine = request({ from: "::ffff:10.0.0.1" });
  const leave = admission.enter(mine);
  admission.enter(request({ from: "10.0.0.1" }));
  expect(admission.refusalOf(mine)).toMatchObject({ status: 429, retryAfterS: 5 });
  expect(admission.refusalOf(request({ from: "10.0.0.2" }))).toBeUndefined();
  leave();
  expect(admission.refusalOf(mine)).toBeUndefined();
});

test("by default an address of the network is bound and loopback is not, since a proxy speaks for many", () => {
  const admission = createAdmission({
    allowedOrigins: [],
    maxConnections: 5000,
    maxPerAddress: undefined,
  });
  for (let i = 0; i < 1000; i++) {
    admission.enter(request({ from: "10.0.0.1" }));
    admission.enter(request({ from: "127.0.0.1" }));
  }
  expect(admission.refusalOf(request({ from: "10.0.0.1" }))).toMatchObject({ status: 429 });
  expect(admission.refusalOf(request({ from: "127.0.0.1" }))).toBeUndefined();
});

test("a full hub says so to everybody", () => {
  const admission = createAdmission({
    allowedOrigins: [],
    maxConnections: 1,
    maxPerAddress: undefined,
  });
  admission.enter(request({}));
  expect(admission.refusalOf(request({}))).toMatchObject({ status: 503 });
});
