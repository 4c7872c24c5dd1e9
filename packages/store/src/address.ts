import type { RetryOptions } from "@smartcart/runtime";
import { DatabaseClient } from "./database-client.ts";
import { sqlStateOf } from "./sql-errors.ts";

/** The TCP port of a URL of PostgreSQL; undefined for a Unix socket and for an unreadable URL. */
export function portOf(url: string): RetryOptions<unknown>["port"] {
  try {
    const { host, port } = new DatabaseClient({ connectionString: url });
    if (host.startsWith("/")) return undefined;
    const isAnswer = (error: unknown) => sqlStateOf(error) !== undefined;
    return { host, port, protocol: "the protocol of PostgreSQL", isAnswer };
  } catch {
    return undefined;
  }
}

/** The address in a URL of PostgreSQL, for messages: "127.0.0.1:5432/shop", "/var/run/postgresql/shop". Without the password. */
export function addressOf(url: string): string {
  try {
    // Parsed by the driver, with its defaults from the environment. It does not connect.
    const { host, port, database } = new DatabaseClient({ connectionString: url });
    return host.startsWith("/") ? `${host}/${database}` : `${host}:${port}/${database}`;
  } catch {
    return URL.parse(url)?.host || "an unreadable URL";
  }
}
