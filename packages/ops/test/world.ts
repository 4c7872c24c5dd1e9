/** The ops service in this process, on a real database and queue, with services that only report. */
import { createClient } from "@connectrpc/connect";
import type { EventBus } from "@smartcart/bus";
import { openBus } from "@smartcart/bus";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { RunningServer, ServerOptions } from "@smartcart/mesh";
import { startServer } from "@smartcart/mesh";
import { createMetrics, parseConfig, silentLogger } from "@smartcart/runtime";
import { createTestBroker, createTestDatabase } from "@smartcart/testkit";
import { addressesOf, opsConfig, startOps } from "../src/index.ts";

export type Engine = "postgres" | "rabbitmq";

export interface World extends AsyncDisposable {
  readonly bus: EventBus;
  /** A client in process, through the interceptors. */
  readonly client: ReturnType<typeof createClient<typeof OpsService>>;
  readonly url: string;
}

export async function createWorld(
  engine: Engine,
  env: Readonly<Record<string, string>> = {},
): Promise<World> {
  await using starting = new AsyncDisposableStack();
  const { url: databaseUrl } = starting.use(await createTestDatabase());
  const amqpUrl =
    engine === "rabbitmq" ? starting.use(await createTestBroker()).amqpUrl : undefined;
  const bus = starting.use(
    await openBus({ amqpUrl, databaseUrl, name: "test", log: silentLogger }),
  );
  const unreachable = "http://127.0.0.1:1";
  const services = ["ORDER", "INVENTORY", "PAYMENT", "SHIPPING", "NOTIFICATION", "STATUS", "LOG"];
  const config = parseConfig(
    {
      ...Object.fromEntries(services.map((service) => [`${service}_URL`, unreachable])),
      OPS_PORT: "0",
      ...env,
    },
    opsConfig,
  );
  const ops = starting.use(
    await startOps({ config, databaseUrl, bus, services: addressesOf(config), log: silentLogger }),
  );
  const running = starting.move();
  return {
    bus,
    url: ops.url,
    client: createClient(OpsService, ops.transport),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A service that does nothing but report. */
export function startInstance(
  name: string,
  o: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  return startServer({
    name,
    port: 0,
    portVariable: "TEST_PORT",
    host: "127.0.0.1",
    routes: () => {},
    services: [],
    log: silentLogger,
    metrics: createMetrics(name),
    drainNoticeMs: 0,
    ...o,
  });
}
