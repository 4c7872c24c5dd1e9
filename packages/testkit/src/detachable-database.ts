import { freePorts } from "@smartcart/engines";
import { startForwarder } from "./forwarder.ts";
import { createTestDatabase } from "./test-database.ts";

/** An empty database that can be made unreachable, and reachable again at the same address with its data. */
export interface DetachableDatabase extends AsyncDisposable {
  readonly url: string;
  /** Breaks all connections and rejects new ones. */
  detach(): Promise<void>;
  attach(): Promise<void>;
}

/** Starts attached. */
export async function createDetachableDatabase(): Promise<DetachableDatabase> {
  await using started = new AsyncDisposableStack();
  const { url: realUrl } = started.use(await createTestDatabase());
  const url = new URL(realUrl);
  const target = { host: url.hostname, port: Number(url.port || 5432) };
  const [port = 0] = await freePorts(1);
  url.host = `127.0.0.1:${port}`;
  let forwarder = await startForwarder({ port, target });
  started.defer(() => forwarder[Symbol.asyncDispose]());
  const running = started.move();
  return {
    url: url.href,
    async detach() {
      await forwarder[Symbol.asyncDispose]();
    },
    async attach() {
      forwarder = await startForwarder({ port, target });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
