/** Tools that look into a SmartCart that is running: its database and its queue, opened from outside. */
import type { EventBus } from "@smartcart/bus";
import { openBus } from "@smartcart/bus";
import type { Logger } from "@smartcart/runtime";
import {
  commonConfig,
  createLogger,
  parseConfig,
  StartError,
  stateDirectory,
} from "@smartcart/runtime";
import { findEmbeddedPostgres } from "@smartcart/store";

export interface Attached extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly log: Logger;
}

/** Throws a StartError or ConfigError for a person where nothing runs there. */
export async function attach(env: NodeJS.ProcessEnv): Promise<Attached> {
  const config = parseConfig(env, commonConfig);
  const log = createLogger({ service: "smartcart", level: "error" });
  const stateFolder = stateDirectory(env);
  const databaseUrl =
    config.DATABASE_URL ?? (await findEmbeddedPostgres({ stateDirectory: stateFolder }));
  if (databaseUrl === undefined) {
    throw new StartError(
      `no SmartCart runs in ${stateFolder}; start it, or set DATABASE_URL or SMARTCART_STATE to those of the running one`,
      { variable: "DATABASE_URL" },
    );
  }
  const bus = await openBus({ amqpUrl: config.AMQP_URL, databaseUrl, name: "smartcart-cli", log });
  return { databaseUrl, bus, log, [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose]() };
}
