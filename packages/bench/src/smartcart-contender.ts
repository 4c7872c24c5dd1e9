/** SmartCart in one process. */
import { join } from "node:path";
import type { Contender, StartOptions } from "./contender.ts";
import { choosePorts, profileArgs } from "./contender.ts";
import { startProcess } from "./processes.ts";
import { finish, settingsOf } from "./shop.ts";
import { tokenSettings, writeTokens } from "./tokens.ts";

export async function startSmartCart(
  name: "smartcart" | "smartcart-tokens" | "embedded",
  o: StartOptions,
): Promise<Contender> {
  await using started = new AsyncDisposableStack();
  const ports = await choosePorts();
  const databaseUrl = o.databaseUrl ?? (await o.engines.createDatabase(name));
  const env = {
    ...settingsOf(o, databaseUrl),
    ...ports,
    ...(name !== "embedded" && { AMQP_URL: await o.engines.createVirtualHost(name) }),
    ...(name === "smartcart-tokens" && tokenSettings),
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
  const tokensFile = name === "smartcart-tokens" ? await writeTokens(o.directory) : undefined;
  const running = started.move();
  return finish({
    orderUrls: [orderUrl],
    processes: [smartcart],
    databaseUrl,
    tokensFile,
    readyMs,
    running,
    o,
  });
}
