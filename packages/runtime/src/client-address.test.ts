import { expect, test } from "vitest";
import {
  clientAddress,
  loopbackProxies,
  networkOf,
  parseTrustedProxies,
} from "./client-address.ts";

const two = parseTrustedProxies("10.0.0.0/8, 192.0.2.1, ::1");

test.each([
  ["the header of an untrusted peer is ignored", "203.0.113.5", "198.51.100.1", two, "203.0.113.5"],
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

test.each(["proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::1/129"])("rejects %s", (entry) =>
  expect(() => parseTrustedProxies(entry)).toThrow(entry),
);

test.each([
  ["203.0.113.5", "203.0.113.5"],
  ["::ffff:203.0.113.5", "203.0.113.5"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:1:0002::7", "2001:db8:1:2::/64"],
  ["2001:db8::7", "2001:db8:0:0::/64"],
  ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["64:ff9b::192.0.2.33", "64:ff9b:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["::1", "::1"],
  ["", ""],
])("%s is counted as %s", (address, network) => expect(networkOf(address)).toBe(network));

test("a client of IPv6 is counted by its network, also behind a proxy", () => {
  const seen = ["2001:db8::1", "2001:db8::ffff:1"].map((from) =>
    clientAddress("::1", from, loopbackProxies),
  );
  expect(new Set(seen).size).toBe(1);
});
