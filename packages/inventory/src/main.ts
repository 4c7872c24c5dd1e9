/** The inventory service as a process of its own. */
import { createLogShipper, openBus } from "@smartcart/bus";
import { runMain, stateDirectory } from "@smartcart/runtime";
import { openDatabaseServer } from "@smartcart/store";
import { parseInventoryConfig } from "./config.ts";
import { startInventory } from "./service.ts";

await runMain("inventory", async ({ env, log, signal }) => {
  const config = parseInventoryConfig(env);
  await using started = new AsyncDisposableStack();
  const { url: databaseUrl } = started.use(
    await openDatabaseServer({
      databaseUrl: config.DATABASE_URL,
      stateDirectory: stateDirectory(env),
      log,
      signal,
    }),
  );
  // The queue carries nothing but this service's log to the log service.
  const bus = started.use(
    await openBus({ amqpUrl: config.AMQP_URL, databaseUrl, name: "inventory", log, signal }),
  );
  started.defer(log.addSink(started.use(createLogShipper({ bus }))));
  started.use(await startInventory({ config, databaseUrl, log }));
  return started.move();
});
