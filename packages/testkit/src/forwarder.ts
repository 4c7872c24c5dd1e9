/** A TCP forwarder: makes a server available or unavailable at a known address. */
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";

/** Where it listens, and where it forwards to. */
export interface ForwarderOptions {
  /** Where it listens, on loopback. */
  readonly port: number;
  /** Where connections are forwarded to. */
  readonly target: { readonly host: string; readonly port: number };
}

/** Starts to forward. Disposing breaks the connections and closes the port. */
export async function startForwarder({ port, target }: ForwarderOptions): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect({ ...target });
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .once("close", () => {
          sockets.delete(socket);
          incoming.destroy();
          outgoing.destroy();
        });
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
