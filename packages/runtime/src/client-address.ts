import { BlockList, isIP } from "node:net";
import { isLoopback } from "./loopback.ts";

/** The proxies whose `X-Forwarded-For` is believed. */
export interface TrustedProxies {
  has(address: string): boolean;
}

/**
 * Reads a comma-separated list of addresses and networks in CIDR notation: "10.0.0.7, 172.16.0.0/12, ::1".
 * @throws RangeError that quotes the entry that is neither.
 */
export function parseTrustedProxies(list: string): TrustedProxies {
  const proxies = new BlockList();
  for (const entry of list.split(",").map((text) => text.trim())) {
    if (entry !== "") add(proxies, entry);
  }
  return {
    has(address) {
      const plain = plainAddress(address);
      const version = isIP(plain);
      return version !== 0 && proxies.check(plain, version === 6 ? "ipv6" : "ipv4");
    },
  };
}

function add(proxies: BlockList, entry: string): void {
  const [address = "", bits] = entry.split("/", 2);
  const version = isIP(address);
  const longest = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? longest : Number(bits);
  const isPrefix = Number.isInteger(prefix) && prefix >= 0 && prefix <= longest && bits !== "";
  if (version === 0 || !isPrefix) {
    throw new RangeError(`"${entry}" is neither an address nor a network such as 10.0.0.0/8`);
  }
  proxies.addSubnet(address, prefix, version === 6 ? "ipv6" : "ipv4");
}

/** What `TRUSTED_PROXIES` means when it is not set: a proxy on this machine. */
export const loopbackProxies = parseTrustedProxies("127.0.0.0/8, ::1");

/**
 * The address of the client, as it is counted: see `networkOf`. `X-Forwarded-For` is read from its end, and only as far as trusted
 * proxies wrote it: entries of the client itself are never used. Reading ends at an entry that is not an address, so that a client cannot choose the
 * name under which it is counted.
 *
 * @param peer address of the other end of the connection.
 * @param forwardedFor value of `X-Forwarded-For`; several headers joined by a comma.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | readonly string[] | undefined,
  trusted: TrustedProxies,
): string {
  const hops = String(forwardedFor ?? "")
    .split(",")
    .map((hop) => plainAddress(hop.trim()));
  let client = plainAddress(peer);
  while (trusted.has(client)) {
    const next = hops.pop();
    if (next === undefined || isIP(next) === 0) break;
    client = next;
  }
  return networkOf(client);
}

/**
 * The name under which an address is counted: an IPv4 address under its own, an IPv6 address under its /64 network
 * ("2001:db8:0:1::/64"), since a machine usually has a whole /64 and could use another address for each connection.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6 || isLoopback(plain)) return plain;
  const [head = "", tail] = plain.split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail?.split(":").filter(Boolean) ?? [];
  const zeros = new Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

/** IPv4 as IPv4 also where a socket for both versions reports it as `::ffff:10.0.0.7`. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
