/** A TCP connection of an attacker: sends given bytes, and discards the answer or does not read it. */
import type { Socket } from "node:net";
import { connect } from "node:net";

interface RawConnectionOptions {
  /** Keep our side open when the server closes its own, and the other way round. Default false. */
  readonly halfOpen?: boolean;
  /** Never read. Default false. */
  readonly deaf?: boolean;
  /** After so long the connection is cut off, in milliseconds. Default 3,000. */
  readonly patienceMs?: number;
}

/** Connects and sends. An error closes the connection and is ignored. */
export function openRawConnection(
  url: string,
  bytes: Uint8Array,
  o: RawConnectionOptions = {},
): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({
    host: hostname,
    port: Number(port),
    allowHalfOpen: o.halfOpen ?? false,
  });
  socket.on("error", () => socket.destroy());
  if (o.deaf) socket.pause();
  else socket.resume();
  const timer = setTimeout(() => socket.destroy(), o.patienceMs ?? 3_000);
  socket.once("close", () => clearTimeout(timer));
  socket.write(bytes);
  return socket;
}

/** Resolves with the first bytes of an answer, or when the connection has ended. */
export async function firstAnswer(socket: Socket): Promise<void> {
  const answered = new Promise<void>((resolve) => socket.once("data", () => resolve()));
  await Promise.race([answered, closed(socket)]);
}

/** Resolves when the connection has ended, on either side. */
export async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}
