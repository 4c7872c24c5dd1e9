/** SmartCart in one process. */
import { join } from "node:path";
import type { Contender, StartOptions } from "./contender.ts";
import { choosePorts, profileArgs } from "./contender.ts";
import { startProcess } from "./processes.ts";
import { finish, settingsOf } from "./shop.ts";

export async function startSmartCart(
  name: "smartcart" | "embedded",
  o: StartOptions,
): Promise<Contender> {
  await using started = new AsyncDisposableStack();
  const ports = await choosePorts();
  const databaseUrl = o.databaseUrl ?? (await o.engines.createDatabase(name));
  const env = {
    ...settingsOf(o, databaseUrl),
    ...ports,
    ...(name === "smartcart" && { AMQP_URL: await o.engines.createVirtualHost(name) }),
  };
  const startedAt = performance.now();
  const smartcart = started.use(
    startProcess({
      name: "smartcart",
      args: [...profileArgs(o, "smartcart"), "packages/smartcart/src/main.ts", "up"],
      env,
      logFile: join(o.directory, "smartcart.log"),
    }),
  );
  const orderUrl = `http://127.0.0.1:${ports.ORDER_PORT}`;
  await smartcart.answers(`${orderUrl}/readyz`);
  const readyMs = performance.now() - startedAt;
  const running = started.move();
  return finish({
    orderUrls: [orderUrl],
    processes: [smartcart],
    databaseUrl,
    readyMs,
    running,
    o,
  });
}
