/** The notification service as a process of its own. */
import { createLogShipper, openBus } from "@smartcart/bus";
import { runMain, stateDirectory } from "@smartcart/runtime";
import { openDatabaseServer } from "@smartcart/store";
import { parseNotificationConfig } from "./config.ts";
import { startNotification } from "./service.ts";

await runMain("notification", async ({ env, log, signal }) => {
  const config = parseNotificationConfig(env);
  await using starting = new AsyncDisposableStack();
  const { url: databaseUrl } = starting.use(
    await openDatabaseServer({
      databaseUrl: config.DATABASE_URL,
      stateDirectory: stateDirectory(env),
      log,
      signal,
    }),
  );
  const bus = starting.use(
    await openBus({ amqpUrl: config.AMQP_URL, databaseUrl, name: "notification", log, signal }),
  );
  starting.defer(log.addSink(starting.use(createLogShipper({ bus }))));
  starting.use(await startNotification({ config, databaseUrl, bus, log }));
  return starting.move();
});
