import { DatabaseClient } from "./database-client.ts";

/** Where a URL of PostgreSQL leads, for people: "127.0.0.1:5432/shop", "/var/run/postgresql/shop". Without the password. */
export function addressOf(url: string): string {
  try {
    // Read as the driver reads it, with what the environment adds. It does not connect.
    const { host, port, database } = new DatabaseClient({ connectionString: url });
    return host.startsWith("/") ? `${host}/${database}` : `${host}:${port}/${database}`;
  } catch {
    return URL.parse(url)?.host || "an unreadable URL";
  }
}
