/** The operator's service as a process of its own. */
import { createLogShipper, openBus } from "@smartcart/bus";
import { runMain, stateDirectory } from "@smartcart/runtime";
import { openDatabaseServer } from "@smartcart/store";
import { requireTokenOrLoopback } from "./access.ts";
import { parseOpsConfig } from "./config.ts";
import { addressesOf } from "./instance-addresses.ts";
import { startOps } from "./service.ts";

await runMain("ops", async ({ env, log, signal }) => {
  const config = parseOpsConfig(env);
  const services = addressesOf(config);
  // Before it waits for anything.
  requireTokenOrLoopback(config.HOST, config.OPS_TOKEN);
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
    await openBus({ amqpUrl: config.AMQP_URL, databaseUrl, name: "ops", log, signal }),
  );
  starting.defer(log.addSink(starting.use(createLogShipper({ bus }))));
  starting.use(await startOps({ config, databaseUrl, bus, services, log }));
  return starting.move();
});
