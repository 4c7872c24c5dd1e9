/** The services as processes of their own, as `compose.yaml` runs them: peers by URL, one database, one queue. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SpawnedService, SpawnOptions } from "@smartcart/testkit";
import { freePorts, spawnService } from "@smartcart/testkit";
import type { ComposeTargets } from "./compose.ts";
import { readCompose } from "./compose.ts";
import { createShopper } from "./stack.ts";

interface ServiceProcess {
  readonly script: readonly string[];
  readonly portVariable: string;
  /** The variable that tells the others where it is. */
  readonly urlVariable?: string;
}

const mainOf = (service: string) => [`packages/${service}/src/main.ts`];

export const serviceProcesses = {
  order: { script: mainOf("order"), portVariable: "ORDER_PORT", urlVariable: "ORDER_URL" },
  inventory: {
    script: mainOf("inventory"),
    portVariable: "INVENTORY_PORT",
    urlVariable: "INVENTORY_URL",
  },
  payment: { script: mainOf("payment"), portVariable: "PAYMENT_PORT", urlVariable: "PAYMENT_URL" },
  notification: {
    script: mainOf("notification"),
    portVariable: "NOTIFICATION_PORT",
    urlVariable: "NOTIFICATION_URL",
  },
  shipping: {
    script: mainOf("shipping"),
    portVariable: "SHIPPING_PORT",
    urlVariable: "SHIPPING_URL",
  },
  "status-hub": {
    script: mainOf("status-hub"),
    portVariable: "STATUS_PORT",
    urlVariable: "STATUS_URL",
  },
  log: { script: mainOf("log"), portVariable: "LOG_PORT", urlVariable: "LOG_URL" },
  ops: { script: mainOf("ops"), portVariable: "OPS_PORT", urlVariable: "OPS_URL" },
  web: { script: ["packages/smartcart/src/main.ts", "web"], portVariable: "WEB_PORT" },
} as const satisfies Record<string, ServiceProcess>;

export type ServiceName = keyof typeof serviceProcesses;

export const serviceNames = Object.keys(serviceProcesses) as readonly ServiceName[];

export interface ServiceProcessesOptions {
  readonly databaseUrl: string;
  /** Undefined: the queue on PostgreSQL. */
  readonly amqpUrl: string | undefined;
}

export type RunningProcesses = Awaited<ReturnType<typeof startServiceProcesses>>;

/** As `startServiceProcesses`, but with the commands and the environment of `compose.yaml`. */
export async function startComposed(o: Omit<ComposeTargets, "ports">) {
  const ports = await freePorts(serviceNames.length);
  const byName = Object.fromEntries(serviceNames.map((name, i) => [name, ports[i] ?? 0]));
  const services = await readCompose({ ...o, ports: byName });
  return await startProcesses(ports, (name) => {
    const { args, env } = services[name] ?? { args: [], env: {} };
    return { args, env };
  });
}

/** Starts all of them at once, in no order, and waits until each is ready. */
export async function startServiceProcesses({ databaseUrl, amqpUrl }: ServiceProcessesOptions) {
  const ports = await freePorts(serviceNames.length);
  const env: Record<string, string> = {
    DATABASE_URL: databaseUrl,
    ...(amqpUrl !== undefined && { AMQP_URL: amqpUrl }),
  };
  serviceNames.forEach((name, index) => {
    const service: ServiceProcess = serviceProcesses[name];
    env[service.portVariable] = String(ports[index]);
    if (service.urlVariable !== undefined)
      env[service.urlVariable] = `http://127.0.0.1:${ports[index]}`;
  });
  return await startProcesses(ports, (name) => ({ args: serviceProcesses[name].script, env }));
}

/** `ports`: of the services, in their order. */
async function startProcesses(
  ports: readonly number[],
  optionsOf: (name: ServiceName) => SpawnOptions,
) {
  await using started = new AsyncDisposableStack();
  const state = await mkdtemp(join(tmpdir(), "smartcart-services-"));
  started.defer(() => rm(state, { recursive: true, force: true }));
  const urls: Record<string, string> = Object.fromEntries(
    serviceNames.map((name, index) => [name, `http://127.0.0.1:${ports[index]}`]),
  );
  const common = {
    SMARTCART_STATE: state,
    SHIPPING_DELAY_MS: "100",
    // A busy machine must not turn 201 into 202.
    ORDER_ANSWER_TIMEOUT_MS: "20000",
  };
  const processes = {} as Record<ServiceName, SpawnedService>;
  for (const name of serviceNames) {
    const { args, env } = optionsOf(name);
    processes[name] = started.use(spawnService({ args, env: { ...env, ...common } }));
  }
  await Promise.all(serviceNames.map((name) => processes[name].answers(`${urls[name]}/readyz`)));
  const running = started.move();
  return {
    urls,
    processes,
    shippingLog: join(state, "shipping.log"),
    ...createShopper(urls),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
