/** SmartCart with a process for each service. */
import { join } from "node:path";
import { freePorts } from "@smartcart/testkit";
import type { Contender, Ports, StartOptions } from "./contender.ts";
import { choosePorts, portVariables, profileArgs } from "./contender.ts";
import type { RunningProcess } from "./processes.ts";
import { startProcess } from "./processes.ts";
import { finish, settingsOf } from "./shop.ts";

const services = ["log", "inventory", "payment", "shipping", "order", "notification", "status-hub"];
/** Those that there may be several of: they take, ship and relay orders. */
const replicated = ["order", "shipping", "notification"] as const;

export async function startServices(o: StartOptions): Promise<Contender> {
  await using started = new AsyncDisposableStack();
  const ports = await choosePorts();
  const databaseUrl = o.databaseUrl ?? (await o.engines.createDatabase("services"));
  const amqpUrl = await o.engines.createVirtualHost("services");
  const url = (service: string) => `http://127.0.0.1:${ports[variableOf(service)]}`;
  const env = {
    ...settingsOf(o, databaseUrl),
    ...ports,
    AMQP_URL: amqpUrl,
    INVENTORY_URL: url("inventory"),
    PAYMENT_URL: url("payment"),
    SHIPPING_URL: url("shipping"),
    ORDER_URL: url("order"),
  };
  const startedAt = performance.now();
  const processes = services.map((name) =>
    started.use(startService({ name, service: name, env, o })),
  );
  await Promise.all(processes.map((process) => process.answers(`${url(process.name)}/readyz`)));
  const readyMs = performance.now() - startedAt;
  const orderUrls: [string, ...string[]] = [url("order")];
  for (let replica = 2; replica <= (o.replicas ?? 1); replica += 1) {
    for (const service of replicated) {
      const port = String((await freePorts(1))[0]);
      const name = `${service}-${replica}`;
      const more = { ...env, [variableOf(service)]: port };
      const one = started.use(startService({ name, service, env: more, o }));
      await one.answers(`http://127.0.0.1:${port}/readyz`);
      if (service === "order") orderUrls.push(`http://127.0.0.1:${port}`);
      processes.push(one);
    }
  }
  const running = started.move();
  return finish({ orderUrls, processes, databaseUrl, readyMs, running, o });
}

function variableOf(service: string): keyof Ports {
  return portVariables[service as keyof typeof portVariables];
}

function startService(s: {
  readonly name: string;
  readonly service: string;
  readonly env: Readonly<Record<string, string>>;
  readonly o: StartOptions;
}): RunningProcess {
  return startProcess({
    name: s.name,
    args: [...profileArgs(s.o, s.name), `packages/${s.service}/src/main.ts`],
    env: s.env,
    logFile: join(s.o.directory, `${s.name}.log`),
  });
}
