import { EnvError, makeExactValidator, makeValidator } from "envalid";
import type { TrustedProxies } from "./client-address.ts";
import { parseTrustedProxies } from "./client-address.ts";
import { registerPasswordOf, registerSecret } from "./secrets.ts";

/*
 * Validators for `parseConfig`, to be called with a spec: `port({ default: 8080, desc: "…" })`, optional with
 * `default: undefined`. They replace envalid's own because its messages do not say what is valid.
 */

/** Any text. With `choices`, one of them. */
export const str = makeValidator<string>((input) => input);

/** A number, with or without a fraction. */
export const num = makeValidator<number>((input) => {
  const value = Number(input);
  if (!Number.isFinite(value)) throw wrong(input, "must be a number");
  return value;
});

/** A whole number from 0. */
export const int = makeValidator<number>((input) => {
  const value = Number(input);
  if (!/^\d+$/.test(input.trim()) || !Number.isSafeInteger(value)) {
    throw wrong(input, "must be a whole number, 0 or more");
  }
  return value;
});

/** `true`, `1`, `yes`, `on`, or `false`, `0`, `no`, `off`. */
export const bool = makeExactValidator<boolean>((input) => {
  // envalid also passes defaults of specs through here when they are given as values
  const text = String(input).trim().toLowerCase();
  if (["true", "1", "yes", "on"].includes(text)) return true;
  if (["false", "0", "no", "off"].includes(text)) return false;
  throw wrong(input, "must be true or false");
});

/** A TCP port; 0 asks the system for a free one. */
export const port = makeValidator<number>((input) => {
  const value = validPort(input);
  if (value !== undefined) return value;
  throw wrong(input, "must be a port number from 1 to 65535 (0 = any free port)");
});

/** The port that a text names; undefined where it names none. */
export function validPort(text: string | undefined): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text?.trim() ?? "") && value <= 65_535 ? value : undefined;
}

/** The first of a block of ports. `max` is the largest. */
export function portBlock(max: number) {
  return makeValidator<number>((input) => {
    const value = validPort(input) ?? 0;
    if (value > 0 && value <= max) return value;
    throw wrong(input, `must be a port number from 1 to ${max}`);
  });
}

/** A name or address to listen on, without scheme or port. */
export const host = makeValidator<string>((input) => {
  const value = input.trim();
  if (!/^[A-Za-z0-9._:%-]+$/.test(value) || /^[^:]+:\d+$/.test(value)) {
    throw wrong(input, "must be a host name or address without scheme and port, such as 127.0.0.1");
  }
  return value;
});

/** Host names without port, comma-separated. */
export const names = makeValidator<readonly string[]>((input) => {
  const list = input
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const bad = list.find((name) => !/^[A-Za-z0-9._:-]+$/.test(name) || /^[^:]+:\d+$/.test(name));
  if (bad !== undefined) throw wrong(bad, "must be a host name without scheme and port");
  return list;
});

/** Addresses and networks of proxies, comma-separated. */
export const proxies = makeValidator<TrustedProxies>((input) => {
  try {
    return parseTrustedProxies(input);
  } catch (cause) {
    throw Object.assign(new EnvError((cause as RangeError).message), { cause });
  }
});

/** The base URL of an HTTP service; a slash at its end is removed. */
export const url = makeValidator<string>((input) => {
  const parsed = parseUrl(input, ["http:", "https:"], "http://127.0.0.1:8080");
  registerPasswordOf(parsed);
  return parsed.href.replace(/\/+$/, "");
});

/**
 * A PostgreSQL URL with the name of a database. The host may be left out, or be the folder of a Unix socket in `?host=`, as
 * libpq has it: "postgresql:///shop?host=/var/run/postgresql".
 */
export const postgresUrl = makeValidator<string>((input) => {
  const example = "postgres://user:password@127.0.0.1:5432/smartcart";
  const text = input.trim();
  // `URL` takes a user without a host for an error
  const parsed = URL.parse(text.replace("@/", "@localhost/"));
  if (!parsed || !/^postgres(ql)?:\/\//.test(text))
    throw wrong(input, `must be a URL such as ${example}`);
  if (parsed.pathname.length < 2) {
    throw wrong(input, `names no database; it must look like ${example}`);
  }
  assertNoUser(parsed.pathname, input);
  for (const part of [parsed.username, parsed.password, parsed.hostname, parsed.pathname]) {
    if (!isDecodable(part)) throw wrong(input, 'has a "%" that begins no %XX; write it as %25');
  }
  registerPasswordOf(parsed);
  return text;
});

/** An AMQP URL. User and password are required: the client library knows no default for them. */
export const amqpUrl = makeValidator<string>((input) => {
  const example = "amqp://guest:guest@127.0.0.1:5672";
  const parsed = parseUrl(input, ["amqp:", "amqps:"], example);
  if (!parsed.username || !parsed.password) {
    throw wrong(input, `has no user and password; it must look like ${example}`);
  }
  for (const part of [parsed.username, parsed.password, parsed.pathname]) {
    if (!isDecodable(part)) throw wrong(input, 'has a "%" that begins no %XX; write it as %25');
  }
  assertNoUser(parsed.pathname, input);
  registerPasswordOf(parsed);
  return input.trim();
});

/** A shared secret of 16 characters or more. It is never shown in a message. */
export const secret = makeValidator<string>((input) => {
  if (input.length < 16) {
    throw new EnvError(
      `has ${input.length} characters; it must have at least 16, for example from: openssl rand -hex 16`,
    );
  }
  registerSecret(input);
  return input;
});

/** A "/" in a password ends the host: "me:1/2@db" would name the host "me", and all messages would show the rest. */
function assertNoUser(path: string, input: string): void {
  if (path.includes("@")) {
    throw wrong(input, 'has an "@" in its path; write "/" in a password as %2F, and "@" as %40');
  }
}

function parseUrl(input: string, protocols: readonly string[], example: string): URL {
  const parsed = URL.parse(input.trim());
  if (!parsed?.hostname || !protocols.includes(parsed.protocol)) {
    throw wrong(input, `must be a URL such as ${example}`);
  }
  return parsed;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** What can hold a password: a user, a query, a "=", or a colon that neither ends a scheme nor begins a port. */
const mayHoldPassword = /[@?#=]|:(?!\/\/|\d+(\/|$))/;

function wrong(input: string, rule: string): EnvError {
  const shown = mayHoldPassword.test(input)
    ? "the value (not shown, since it may hold a password)"
    : `"${input}"`;
  return new EnvError(`${shown} ${rule}`);
}
