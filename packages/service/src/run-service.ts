import type { EventBus } from "@smartcart/bus";
import { createLogShipper, openBus } from "@smartcart/bus";
import { accessFrom } from "@smartcart/identity";
import type { Logger, MainContext, Registry } from "@smartcart/runtime";
import { runMain, stateDirectory } from "@smartcart/runtime";
import { openDatabaseServer } from "@smartcart/store";
import type { ServiceConfig } from "./context.ts";

/** What a service is started with. */
export interface ServiceOptions<C extends ServiceConfig> {
  readonly config: C;
  /** A PostgreSQL 15 or later. */
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly log: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Registry;
}

/** One service as a process. */
export interface RunServiceOptions<C extends ServiceConfig> {
  /** "order". It names the process in its log and to the queue. */
  readonly name: string;
  /** Throws what speaks against a start at all, before anything is waited for: a ConfigError, a StartError. Settings that would open the service to strangers are refused after it. */
  readonly parseConfig: (env: NodeJS.ProcessEnv) => C;
  /**
   * False where the service keeps nothing: then DATABASE_URL is neither waited for nor proven where the queue is RabbitMQ.
   * Default true.
   */
  readonly needsDatabase?: boolean;
  readonly start: (options: ServiceOptions<C>) => Promise<AsyncDisposable>;
}

/**
 * The whole `main.ts` of a service: opens database and queue, sends the log to the log service, starts it, and ends the process
 * itself (`runMain` says when and with which code).
 */
export async function runService<C extends ServiceConfig>(o: RunServiceOptions<C>): Promise<void> {
  const { name } = o;
  await runMain(name, async (context) => {
    const { log, signal } = context;
    const config = o.parseConfig(context.env);
    accessFrom(config);
    await using starting = new AsyncDisposableStack();
    const databaseUrl = await openDatabaseUrl(o, config, context, starting);
    const { AMQP_URL: amqpUrl } = config;
    const bus = starting.use(await openBus({ amqpUrl, databaseUrl, name, log, signal }));
    starting.defer(log.addSink(starting.use(createLogShipper({ bus }))));
    starting.use(await o.start({ config, databaseUrl, bus, log }));
    return starting.move();
  });
}

async function openDatabaseUrl(
  { needsDatabase = true }: Pick<RunServiceOptions<never>, "needsDatabase">,
  { AMQP_URL, DATABASE_URL }: ServiceConfig,
  { env, log, signal }: MainContext,
  starting: AsyncDisposableStack,
): Promise<string> {
  const isUsed = needsDatabase || AMQP_URL === undefined;
  if (!isUsed && DATABASE_URL !== undefined) return DATABASE_URL;
  const server = await openDatabaseServer({
    databaseUrl: DATABASE_URL,
    stateDirectory: stateDirectory(env),
    log,
    signal,
  });
  return starting.use(server).url;
}
