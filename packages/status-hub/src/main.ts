/** The status hub as a process of its own. */
import { createLogShipper, openBus } from "@smartcart/bus";
import { runMain, stateDirectory } from "@smartcart/runtime";
import { openDatabaseServer } from "@smartcart/store";
import { parseStatusHubConfig } from "./config.ts";
import { startStatusHub } from "./service.ts";

await runMain("status-hub", async ({ env, log, signal }) => {
  const config = parseStatusHubConfig(env);
  await using starting = new AsyncDisposableStack();
  // The hub itself keeps nothing: the database is needed only where it is the queue.
  const databaseUrl =
    config.AMQP_URL === undefined || config.DATABASE_URL === undefined
      ? starting.use(
          await openDatabaseServer({
            databaseUrl: config.DATABASE_URL,
            stateDirectory: stateDirectory(env),
            log,
            signal,
          }),
        ).url
      : config.DATABASE_URL;
  const bus = starting.use(
    await openBus({ amqpUrl: config.AMQP_URL, databaseUrl, name: "status-hub", log, signal }),
  );
  starting.defer(log.addSink(starting.use(createLogShipper({ bus }))));
  const peers = { order: { baseUrl: config.ORDER_URL } };
  starting.use(await startStatusHub({ config, bus, peers, log }));
  return starting.move();
});
