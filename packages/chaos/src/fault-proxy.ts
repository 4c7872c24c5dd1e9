/**
 * A TCP proxy that can be told to behave like a bad network, and like a load balancer that knows nothing of its servers.
 * What it cannot do is lose single packets: TCP would send them again, so that a loss is a delay to both ends.
 */
import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
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
  | { readonly kind: "black-hole"; readonly direction: "to-server" | "to-client" }
  /** The server has closed, and the client is never told until the fault ends. */
  | { readonly kind: "half-open" };

export interface FaultProxy extends AsyncDisposable {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** The ports behind it. New connections take turns; one that refuses is passed over. */
  setTargets(ports: readonly number[]): void;
  /** Behaves like this from now on, with the connections that exist and with new ones. */
  inject(fault: LinkFault): void;
  /** Passes everything again. Connections that cannot be whole any more are reset. */
  heal(): void;
}

/** Starts one on a free port. `firstTurn` says which target comes first, so that several proxies do not all choose the same. */
export async function startFaultProxy(o: {
  readonly targets: readonly number[];
  readonly firstTurn?: number;
}): Promise<FaultProxy> {
  let targets = o.targets;
  let turn = o.firstTurn ?? 0;
  let fault: LinkFault = { kind: "pass" };
  const links = new Set<Link>();

  const server = createServer({ noDelay: true }, (client) => {
    const order = targets.map((_, index) => targets[(turn + index) % targets.length] ?? 0);
    turn++;
    const link = createLink(client, order, () => fault);
    links.add(link);
    client.once("close", () => links.delete(link));
  });
  await listen(server);

  return {
    port: (server.address() as AddressInfo).port,
    setTargets(ports) {
      targets = ports;
    },
    inject(next) {
      fault = next;
      for (const link of links) link.faultChanged();
    },
    heal() {
      fault = { kind: "pass" };
      for (const link of links) link.faultChanged();
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const link of links) link.reset();
      await closed;
    },
  };
}

interface Link {
  faultChanged(): void;
  reset(): void;
}

function createLink(client: Socket, order: readonly number[], fault: () => LinkFault): Link {
  let server: Socket | undefined;
  let toServer: TcpRelay | undefined;
  let toClient: TcpRelay | undefined;
  /** The server's side is gone without the client knowing. */
  let orphaned = false;
  client.on("error", () => {});
  client.once("close", () => server?.destroy());
  client.pause();

  const reset = () => {
    client.resetAndDestroy();
    server?.resetAndDestroy();
  };

  const orphan = () => {
    orphaned = true;
    server?.destroy();
    // Read and forgotten: the client's writes still succeed.
    client.removeAllListeners("data").on("data", () => {});
    client.resume();
  };

  const join = (connected: Socket) => {
    server = connected;
    toServer = createTcpRelay(client, connected, {
      delayMs: () => delayOf(fault()),
      isBlocked: () => blocks(fault(), "to-server"),
      onChunk: () => false,
    });
    toClient = createTcpRelay(connected, client, {
      delayMs: () => delayOf(fault()),
      isBlocked: () => blocks(fault(), "to-client"),
      onChunk(chunk) {
        if (fault().kind !== "reset") return false;
        client.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => reset());
        return true;
      },
    });
    connected.once("close", (hadError) => {
      if (orphaned) return;
      if (hadError) client.resetAndDestroy();
      else toClient?.end();
    });
    client.resume();
  };

  const attempt = (left: readonly number[]) => {
    const [port, ...others] = left;
    if (port === undefined || client.destroyed) return void client.resetAndDestroy();
    if (fault().kind === "half-open") return orphan();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const refused = () => attempt(others);
    socket.once("error", refused);
    socket.once("connect", () => {
      socket.off("error", refused).on("error", () => {});
      if (client.destroyed) socket.destroy();
      else join(socket);
    });
  };
  attempt(order);

  return {
    reset,
    faultChanged() {
      if (orphaned && fault().kind !== "half-open") return reset();
      if (fault().kind === "half-open" && server !== undefined) return orphan();
      toServer?.pump();
      toClient?.pump();
    },
  };
}

function delayOf(fault: LinkFault): number {
  return fault.kind === "latency" ? fault.delayMs : 0;
}

function blocks(fault: LinkFault, direction: "to-server" | "to-client"): boolean {
  return fault.kind === "black-hole" && fault.direction === direction;
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
}
