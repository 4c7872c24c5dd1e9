/** The order service as a process of its own. */
import { createLogShipper, openBus } from "@smartcart/bus";
import { runMain, stateDirectory } from "@smartcart/runtime";
import { openDatabaseServer } from "@smartcart/store";
import { parseOrderConfig } from "./config.ts";
import { startOrder } from "./service.ts";

await runMain("order", async ({ env, log, signal }) => {
  const config = parseOrderConfig(env);
  await using started = new AsyncDisposableStack();
  const { url: databaseUrl } = started.use(
    await openDatabaseServer({
      databaseUrl: config.DATABASE_URL,
      stateDirectory: stateDirectory(env),
      log,
      signal,
    }),
  );
  const bus = started.use(
    await openBus({ amqpUrl: config.AMQP_URL, databaseUrl, name: "order", log, signal }),
  );
  started.defer(log.addSink(started.use(createLogShipper({ bus }))));
  started.use(
    await startOrder({
      config,
      databaseUrl,
      bus,
      log,
      peers: {
        inventory: { baseUrl: config.INVENTORY_URL },
        payment: { baseUrl: config.PAYMENT_URL },
        shipping: { baseUrl: config.SHIPPING_URL },
      },
    }),
  );
  return started.move();
});
