/** One connection through the fault proxy, from the client to whichever server takes it. */
import type { Socket } from "node:net";
import { connect } from "node:net";
import type { TcpRelay } from "./tcp-relay.ts";
import { createTcpRelay } from "./tcp-relay.ts";

/** What a link does to the bytes on it. */
export type LinkFault =
  | { readonly kind: "pass" }
  /** Everything arrives, so much later, in both directions. */
  | { readonly kind: "latency"; readonly delayMs: number }
  /** Of the next answer on each connection the first half arrives, then both ends get a reset. */
  | { readonly kind: "reset" }
  /** One direction is dead while the other works. What was on its way arrives when the fault ends, as TCP has it. */
  | { readonly kind: "black-hole"; readonly direction: Direction }
  /** The server has closed, and the client is never told until the fault ends. */
  | { readonly kind: "half-open" };

/** A proxied connection of a client. */
export class ProxiedLink {
  readonly #client: Socket;
  readonly #fault: () => LinkFault;
  #server: Socket | undefined;
  #toServer: TcpRelay | undefined;
  #toClient: TcpRelay | undefined;
  /** The server's side is gone without the client knowing. */
  #orphaned = false;

  /** Connects to the first of the ports that does not refuse. */
  constructor(client: Socket, ports: readonly number[], fault: () => LinkFault) {
    this.#client = client;
    this.#fault = fault;
    client.on("error", () => {});
    client.once("close", () => this.#server?.destroy());
    client.pause();
    this.#attempt(ports);
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server?.resetAndDestroy();
  }

  faultChanged(): void {
    const isHalfOpen = this.#fault().kind === "half-open";
    if (this.#orphaned && !isHalfOpen) {
      this.reset();
    } else if (isHalfOpen && this.#server !== undefined) {
      this.#orphan();
    } else {
      this.#toServer?.pump();
      this.#toClient?.pump();
    }
  }

  #attempt([port, ...others]: readonly number[]): void {
    if (port === undefined || this.#client.destroyed) {
      this.#client.resetAndDestroy();
      return;
    }
    if (this.#fault().kind === "half-open") {
      this.#orphan();
      return;
    }
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const refused = () => this.#attempt(others);
    socket.once("error", refused);
    socket.once("connect", () => {
      socket.off("error", refused).on("error", () => {});
      if (this.#client.destroyed) socket.destroy();
      else this.#join(socket);
    });
  }

  #join(server: Socket): void {
    const client = this.#client;
    const relay = (from: Socket, to: Socket, direction: Direction) =>
      createTcpRelay(from, to, {
        delayMs: () => delayOf(this.#fault()),
        isBlocked: () => blocks(this.#fault(), direction),
        onChunk: (chunk) => direction === "to-client" && this.#cut(chunk),
      });
    this.#server = server;
    this.#toServer = relay(client, server, "to-server");
    this.#toClient = relay(server, client, "to-client");
    server.once("close", (hadError) => {
      if (this.#orphaned) return;
      if (hadError) client.resetAndDestroy();
      else this.#toClient?.end();
    });
    client.resume();
  }

  /** Of an answer the first half arrives, then both ends get a reset. False where that is not the fault. */
  #cut(chunk: Buffer): boolean {
    if (this.#fault().kind !== "reset") return false;
    this.#client.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => this.reset());
    return true;
  }

  #orphan(): void {
    this.#orphaned = true;
    this.#server?.destroy();
    // Read and forgotten: the client's writes still succeed.
    this.#client.removeAllListeners("data").on("data", () => {});
    this.#client.resume();
  }
}

type Direction = "to-server" | "to-client";

function delayOf(fault: LinkFault): number {
  return fault.kind === "latency" ? fault.delayMs : 0;
}

function blocks(fault: LinkFault, direction: Direction): boolean {
  return fault.kind === "black-hole" && fault.direction === direction;
}
