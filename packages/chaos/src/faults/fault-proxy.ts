/**
 * A TCP proxy that injects network faults and balances connections round-robin, without health checks.
 * It does not lose single packets: TCP sends them again, so that both ends see a delay.
 */
import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import type { LinkFault } from "./proxied-link.ts";
import { ProxiedLink } from "./proxied-link.ts";

/** Disposal resets every connection and closes the port. */
export interface FaultProxy extends AsyncDisposable {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** The ports behind it, for new connections: round-robin; a port that does not accept is skipped. */
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
  const links = new Set<ProxiedLink>();

  const server = createServer({ noDelay: true }, (client) => {
    const order = targets.map((_, index) => targets[(turn + index) % targets.length] ?? 0);
    turn++;
    const link = new ProxiedLink(client, order, () => fault);
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

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
}
