import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";

/** Stands for a database's host, which can vanish without a word: no FIN, no RST, no answer. */
export interface VanishingHost extends AsyncDisposable {
  readonly url: string;
  vanish(): void;
  /** Comes back as after a failover: it takes new connections, and knows nothing of the old ones. */
  comeBack(): void;
}

export async function startVanishingHost(target: string): Promise<VanishingHost> {
  const { port } = new URL(target);
  const sockets = new Set<Socket>();
  let gone = false;
  const server = createServer((client) => {
    sockets.add(client.on("error", () => {}));
    if (gone) return void client.pause();
    const upstream = connect(Number(port), "127.0.0.1");
    sockets.add(upstream.on("error", () => {}));
    client.pipe(upstream).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    vanish() {
      gone = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    comeBack() {
      gone = false;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
