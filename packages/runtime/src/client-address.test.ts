import { expect, test } from "vitest";
import { clientAddress, loopbackProxies, parseTrustedProxies } from "./client-address.ts";

const two = parseTrustedProxies("10.0.0.0/8, 192.0.2.1, ::1");

test.each([
  ["a stranger's header is not believed", "203.0.113.5", "198.51.100.1", two, "203.0.113.5"],
  ["a trusted proxy's is", "10.1.2.3", "198.51.100.1", two, "198.51.100.1"],
  ["and one behind another", "10.1.2.3", "198.51.100.1, 192.0.2.1", two, "198.51.100.1"],
  [
    "what the client wrote before it is not",
    "10.1.2.3",
    "6.6.6.6, 198.51.100.1",
    two,
    "198.51.100.1",
  ],
  ["nor what is no address", "10.1.2.3", "me", two, "10.1.2.3"],
  ["IPv4 within IPv6", "::ffff:127.0.0.1", "198.51.100.1", loopbackProxies, "198.51.100.1"],
  ["no header", "127.0.0.1", undefined, loopbackProxies, "127.0.0.1"],
  ["a proxy that speaks for itself", "127.0.0.1", "127.0.0.1", loopbackProxies, "127.0.0.1"],
] as const)("%s", (_name, peer, header, trusted, expected) =>
  expect(clientAddress(peer, header, trusted)).toBe(expected),
);

test.each(["proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::1/129"])("refuses %s", (entry) =>
  expect(() => parseTrustedProxies(entry)).toThrow(entry),
);
