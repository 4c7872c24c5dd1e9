import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { isAllowedOrigin } from "@smartcart/mesh";
import { loopbackProxies, parseTrustedProxies } from "@smartcart/runtime";
import type { AdmissionOptions } from "./admission.ts";
import { createAdmission } from "./admission.ts";

function request(o: {
  origin?: string;
  /** The host that a proxy was asked for. */
  proxied?: string;
  host?: string;
  to?: string;
  from?: string;
  forwardedFor?: string;
}): IncomingMessage {
  const { origin, host = "localhost:8083", to = "127.0.0.1", from = "127.0.0.1" } = o;
  const headers = {
    host,
    origin,
    "x-forwarded-for": o.forwardedFor,
    "x-forwarded-host": o.proxied,
  };
  return {
    headers,
    socket: { localAddress: to, remoteAddress: from },
  } as unknown as IncomingMessage;
}

const defaults: AdmissionOptions = {
  allowedOrigins: [],
  allowedHosts: [],
  maxConnections: 20_000,
  maxPerAddress: undefined,
  trustedProxies: loopbackProxies,
};

test.each([
  [{}, true],
  [{ origin: "http://localhost:5173" }, true],
  [{ origin: "http://127.0.0.1:5173" }, true],
  [{ origin: "http://[::1]:5173" }, true],
  [{ origin: "http://evil.example" }, false],
  [{ origin: "null" }, false],
  // Names that only begin or end like one of this machine.
  [{ origin: "https://127.0.0.1.evil.example" }, false],
  [{ origin: "https://127.evil.example" }, false],
  [{ origin: "https://evil-localhost" }, false],
  [{ origin: "https://localhost.evil.example" }, false],
  [{ origin: "http://localhost:5173", host: "" }, false],
  [{ origin: "http://localhost:5173", host: "a b" }, false],
  // A name that its owner lets point to this machine.
  [{ origin: "http://evil.example", host: "evil.example:8083" }, false],
  // The page came through a proxy on this machine, by the address of the machine.
  [{ origin: "http://192.168.1.5:5173", host: "192.168.1.5:5173" }, true],
  [{ origin: "http://shop.example", host: "shop.example", to: "10.0.0.7" }, true],
  [{ origin: "http://evil.example", host: "shop.example", to: "10.0.0.7" }, false],
  [{ origin: "http://shop.example", proxied: "shop.example", host: "hub", to: "10.0.0.7" }, true],
  [{ origin: "http://evil.example", proxied: "shop.example", host: "hub", to: "10.0.0.7" }, false],
])("without a list, %j: %s", (o, expected) => {
  expect(isAllowedOrigin(request(o), defaults)).toBe(expected);
});

test("a name that is allowed as Host is allowed as a page's, behind a proxy on this machine", () => {
  const o = { ...defaults, allowedHosts: ["Shop.example"] };
  const from = (origin: string, host: string) => isAllowedOrigin(request({ origin, host }), o);
  expect(from("https://shop.example", "shop.example")).toBe(true);
  expect(from("https://evil.example", "shop.example")).toBe(false);
  expect(from("https://evil.example", "evil.example")).toBe(false);
});

test("with a list, exactly those on it", () => {
  const allowed = { ...defaults, allowedOrigins: ["https://shop.example"] };
  const any = { ...defaults, allowedOrigins: ["*"] };
  expect(isAllowedOrigin(request({ origin: "https://shop.example" }), allowed)).toBe(true);
  expect(isAllowedOrigin(request({ origin: "http://localhost:5173" }), allowed)).toBe(false);
  expect(isAllowedOrigin(request({ origin: "http://localhost:5173" }), any)).toBe(true);
});

test("an address has so many connections, and gets its places back", () => {
  const admission = createAdmission({ ...defaults, maxPerAddress: 2 });
  const mine = request({ from: "::ffff:10.0.0.1" });
  const leave = admission.enter(mine);
  admission.enter(request({ from: "10.0.0.1" }));
  expect(admission.refusalOf(mine)).toMatchObject({ status: 429, retryAfterS: 5 });
  expect(admission.refusalOf(request({ from: "10.0.0.2" }))).toBeUndefined();
  leave();
  expect(admission.refusalOf(mine)).toBeUndefined();
});

test("browsers behind a trusted proxy are counted each for itself, by nothing that they say themselves", () => {
  const admission = createAdmission({
    ...defaults,
    maxPerAddress: 1,
    trustedProxies: parseTrustedProxies("10.0.0.1"),
  });
  const behind = (forwardedFor: string) => request({ from: "10.0.0.1", forwardedFor });
  admission.enter(behind("192.0.2.1"));
  expect(admission.refusalOf(behind("192.0.2.2"))).toBeUndefined();
  expect(admission.refusalOf(behind("192.0.2.1"))).toMatchObject({ status: 429 });
  expect(admission.refusalOf(behind("192.0.2.9, 192.0.2.1"))).toMatchObject({ status: 429 });
  // Not from a proxy: what it says is not believed.
  admission.enter(request({ from: "192.0.2.7", forwardedFor: "192.0.2.8" }));
  expect(admission.refusalOf(request({ from: "192.0.2.7" }))).toMatchObject({ status: 429 });
  expect(admission.refusalOf(request({ from: "192.0.2.8" }))).toBeUndefined();
});

test("by default no address takes all places, a proxy of this machine that does not tell its clients apart included", () => {
  const admission = createAdmission({ ...defaults, maxConnections: 5000 });
  const enter = (times: number, o: Parameters<typeof request>[0]) => {
    for (let i = 0; i < times; i++) admission.enter(request(o));
  };
  enter(1000, { from: "10.0.0.1" });
  expect(admission.refusalOf(request({ from: "10.0.0.1" }))).toMatchObject({ status: 429 });
  enter(1000, { forwardedFor: "10.0.0.2" });
  expect(admission.refusalOf(request({ forwardedFor: "10.0.0.2" }))).toMatchObject({ status: 429 });
  enter(2499, {});
  expect(admission.refusalOf(request({}))).toBeUndefined();
  enter(1, {});
  expect(admission.refusalOf(request({}))).toMatchObject({ status: 429 });
  expect(admission.refusalOf(request({ from: "10.0.0.3" }))).toBeUndefined();
});

test("a full hub says so to everybody", () => {
  const admission = createAdmission({ ...defaults, maxConnections: 1 });
  admission.enter(request({}));
  expect(admission.refusalOf(request({}))).toMatchObject({ status: 503 });
});
