import type { EventBus } from "@smartcart/bus";
import { createLogShipper, openBus } from "@smartcart/bus";
import { accessFrom, checkTlsFiles } from "@smartcart/identity";
import type { CleanedEnv, commonConfig, Logger, Registry } from "@smartcart/runtime";
import { parseConfig, runMain, stateDirectory } from "@smartcart/runtime";
import { databaseIdentity, openDatabaseServer } from "@smartcart/store";
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
export interface RunServiceOptions<S extends typeof commonConfig> {
  /** "order". It names the process in its log and to the queue. */
  readonly name: string;
  /** The variables that it reads; a ConfigError names every bad one. */
  readonly config: S;
  /**
   * Throws a StartError for settings with which the service must not start, before it waits for anything. Settings that would open the
   * service to the network without authentication are rejected in any case. Default: no further check.
   */
  readonly check?: (config: CleanedEnv<S>) => void;
  /**
   * False where the service stores nothing: then it neither waits for DATABASE_URL nor checks it where the queue is RabbitMQ.
   * Default true.
   */
  readonly needsDatabase?: boolean;
  readonly start: (options: ServiceOptions<CleanedEnv<S>>) => Promise<AsyncDisposable>;
}

/**
 * The whole `main.ts` of a service: opens database and queue, sends the log to the log service, starts it, and ends the process
 * itself (`runMain` says when and with which code).
 */
export async function runService<const S extends typeof commonConfig>(
  o: RunServiceOptions<S>,
): Promise<void> {
  const { name, needsDatabase = true } = o;
  await runMain(name, async ({ env, log, signal }) => {
    const config = parseConfig(env, o.config);
    o.check?.(config);
    accessFrom(config as ServiceConfig);
    checkTlsFiles(config as ServiceConfig, name);
    const { AMQP_URL: amqpUrl, DATABASE_URL } = config as ServiceConfig;
    await using starting = new AsyncDisposableStack();
    let databaseUrl = needsDatabase || amqpUrl === undefined ? undefined : DATABASE_URL;
    if (databaseUrl === undefined) {
      const options = {
        databaseUrl: DATABASE_URL,
        stateDirectory: stateDirectory(env),
        log,
        signal,
      };
      databaseUrl = starting.use(await openDatabaseServer(options)).url;
    }
    // A service without a database consumes no queue.
    const owner = needsDatabase && amqpUrl ? await databaseIdentity(databaseUrl, log) : undefined;
    const bus = starting.use(await openBus({ amqpUrl, databaseUrl, owner, name, log, signal }));
    starting.defer(log.addSink(starting.use(createLogShipper({ bus }))));
    starting.use(await o.start({ config, databaseUrl, bus, log }));
    return starting.move();
  });
}
