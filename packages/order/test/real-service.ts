/** The order service as it runs, with its server, queue and database, and a world in memory behind its clients. */
import type { Transport } from "@connectrpc/connect";
import { openBus } from "@smartcart/bus";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { createServiceClient } from "@smartcart/mesh";
import type { LogLine } from "@smartcart/runtime";
import { createLogger, parseConfig, silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import { orderConfig } from "../src/config.ts";
import { startOrder } from "../src/service.ts";
import { createWorld } from "./scripted-peers.ts";

export interface RealServiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A database of the test's own. Default: a new one. */
  readonly databaseUrl?: string;
  /** What stands in front of the world, to see or to hold calls. Default: nothing. */
  readonly wrap?: (transport: Transport) => Transport;
}

export async function startRealService({ env, databaseUrl, wrap }: RealServiceOptions = {}) {
  await using started = new AsyncDisposableStack();
  const url = databaseUrl ?? started.use(await createTestDatabase()).url;
  const { world, transport } = createWorld();
  world.stock = 1_000_000;
  const lines: LogLine[] = [];
  const log = createLogger({ service: "order", level: "info", destination: { write: () => {} } });
  log.addSink({ write: (line) => void lines.push(line) });
  const bus = started.use(await openBus({ databaseUrl: url, name: "order", log: silentLogger }));
  const database = started.use(createDatabase({ url, schema: "orders", log: silentLogger }));
  const peer = { transport: wrap?.(transport) ?? transport };
  const service = started.use(
    await startOrder({
      config: parseConfig(
        { ORDER_PORT: "0", ORDER_ANSWER_TIMEOUT_MS: "20000", ...env },
        orderConfig,
      ),
      databaseUrl: url,
      bus,
      peers: { inventory: peer, payment: peer, shipping: peer },
      log,
    }),
  );
  const client = started.use(
    createServiceClient(OrderService, { caller: "test", baseUrl: service.url, log: silentLogger }),
  );
  const running = started.move();
  return {
    url: service.url,
    client,
    database,
    bus,
    world,
    /** What the service has logged, as data. */
    lines,
    place: (body: object = {}, init: RequestInit = {}) =>
      fetch(`${service.url}/placeOrder`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...anyOrder, ...body }),
        ...init,
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const anyOrder = { userId: "u1", address: "1 Main St", items: [{ productId: "tea", quantity: 1 }] };
