import type { Connection } from "rabbitmq-client";
import type { Logger } from "@smartcart/runtime";
import { isLoopback, StartError } from "@smartcart/runtime";
import { RawConnection } from "./raw-connection.ts";

/** A connection without traffic for twice this counts as dead. */
const heartbeatSeconds = 5;

/**
 * Opens a connection that reconnects by itself once it has been up. Rejects when the first attempt fails:
 * with a StartError for an invalid URL, else with the cause, see `rabbitmqFaults`.
 */
export async function openConnection(o: {
  url: string;
  name: string;
  log: Logger;
}): Promise<RawConnection> {
  const connection = new RawConnection({
    url: checkUrl(o.url),
    connectionName: o.name,
    noDelay: true,
    heartbeat: heartbeatSeconds,
    connectionTimeout: 5_000,
    acquireTimeout: 5_000,
    // The default of 8 KiB cuts a larger body into many frames.
    frameMax: 131_072,
    retryLow: 100,
    retryHigh: 2_000,
  });
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once("connection", resolve);
      connection.once("error", reject);
    });
  } catch (error) {
    connection.on("error", () => {});
    connection.unsafeDestroy();
    throw error;
  }
  connection.on("error", (error) => {
    o.log.warn("bus.connection_lost", { connection: o.name, error });
  });
  connection.on("connection", () => o.log.info("bus.connection_restored", { connection: o.name }));
  connection.on("connection.blocked", (reason) => {
    o.log.warn("bus.connection_blocked", { connection: o.name, reason });
  });
  return connection;
}

/** Closes a connection whose channels are closed; gives up waiting after `timeoutMs`. */
export async function closeConnection(connection: Connection, timeoutMs = 3_000): Promise<void> {
  const timer = setTimeout(() => connection.unsafeDestroy(), timeoutMs);
  await connection.close().catch(() => connection.unsafeDestroy());
  clearTimeout(timer);
}

/** The broker's address without the password. */
export function describeUrl(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  return `RabbitMQ at ${protocol}//${hostname}:${port || (protocol === "amqps:" ? "5671" : "5672")}${pathname}`;
}

/** Throws a StartError that never contains the password, also for a text that is not a URL. */
function checkUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== "amqp:" && parsed?.protocol !== "amqps:") {
    throw wrongUrl("AMQP_URL must look like amqp://user:password@host:5672");
  }
  if (parsed.username === "" || parsed.password === "") {
    const example = "amqp://guest:guest@localhost:5672";
    throw wrongUrl(`AMQP_URL must carry user and password: ${example}`);
  }
  if (parsed.username === "guest" && !isLoopback(parsed.hostname)) {
    throw wrongUrl(
      `AMQP_URL names the user guest, whose password is public, on ${parsed.hostname}: use a user of its own there, such as those that "smartcart roles" makes`,
    );
  }
  try {
    decodeURIComponent(`${parsed.username}${parsed.password}${parsed.pathname}`);
  } catch (cause) {
    throw wrongUrl('AMQP_URL has a "%" that begins no %XX; write it as %25', cause);
  }
  return url;
}

function wrongUrl(message: string, cause?: unknown): StartError {
  return new StartError(message, { variable: "AMQP_URL", cause });
}
