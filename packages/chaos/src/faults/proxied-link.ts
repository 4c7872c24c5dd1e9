/** One connection through the fault proxy, from the client to whichever server takes it. */
import type { Socket } from "node:net";
import { connect } from "node:net";
import type { TcpRelay } from "./tcp-relay.ts";
import { createTcpRelay } from "./tcp-relay.ts";

/** What a link does to the bytes on it. */
export type LinkFault =
  | { readonly kind: "pass" }
  /** Both directions are delayed. */
  | { readonly kind: "latency"; readonly delayMs: number }
  /** Forwards half of the next answer on each connection, then resets both ends. */
  | { readonly kind: "reset" }
  /** One direction forwards nothing. Its bytes arrive when the fault ends, as TCP retransmits them. */
  | { readonly kind: "black-hole"; readonly direction: Direction }
  /** The server's end is closed; the client learns of it when the fault ends. */
  | { readonly kind: "half-open" };

/** A proxied connection of a client. */
export class ProxiedLink {
  readonly #client: Socket;
  readonly #fault: () => LinkFault;
  #server: Socket | undefined;
  #toServer: TcpRelay | undefined;
  #toClient: TcpRelay | undefined;
  /** The server's end is closed and the client does not know. */
  #orphaned = false;

  /** Connects to the first of the ports that accepts; resets the client if none does. */
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
    const tryNext = () => this.#attempt(others);
    socket.once("error", tryNext);
    socket.once("connect", () => {
      socket.off("error", tryNext).on("error", () => {});
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

  /** Forwards half of an answer, then resets both ends. False where that is not the fault. */
  #cut(chunk: Buffer): boolean {
    if (this.#fault().kind !== "reset") return false;
    this.#client.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => this.reset());
    return true;
  }

  #orphan(): void {
    this.#orphaned = true;
    this.#server?.destroy();
    // Read and dropped, so that the client's writes still succeed.
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
