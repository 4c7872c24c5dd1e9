/** Connects commands to a running SmartCart: its database, its queue and its services. */
import type { EventBus } from "@smartcart/bus";
import { openBus } from "@smartcart/bus";
import { findEmbeddedPostgres } from "@smartcart/engines";
import type { TlsFiles } from "@smartcart/identity";
import { hasTls, openTlsFiles } from "@smartcart/identity";
import type { Logger } from "@smartcart/runtime";
import { createLogger, StartError, serverUrl, stateDirectory } from "@smartcart/runtime";
import { parseSmartCartConfig } from "../config.ts";
import { readRunningNote } from "./running-file.ts";

/** Connections to a running SmartCart. Disposing closes them; it never stops what runs. */
export interface Attached extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly bus: EventBus;
  /** Base URL by service: "order", "inventory", … */
  readonly urls: Readonly<Record<string, string>>;
  /** With it, this tool authenticates as a service. Undefined: the services require none. */
  readonly meshSecret: string | undefined;
  /** Certificates that verify the services, and with which this tool authenticates; undefined: the services use no TLS. */
  readonly tls: TlsFiles | undefined;
  /** With it, this tool authenticates as an operator. Undefined: OPS_TOKEN is not set. */
  readonly opsToken: string | undefined;
  readonly log: Logger;
}

/**
 * Connects to what the environment names, otherwise to what runs in the state folder, otherwise to the default ports.
 *
 * @throws StartError or ConfigError where nothing runs there.
 */
export async function attach(env: NodeJS.ProcessEnv): Promise<Attached> {
  const config = parseSmartCartConfig(env);
  const log = createLogger({ service: "smartcart", level: "error" });
  const databaseUrl = await findDatabase(env);
  const note = await readRunningNote(stateDirectory(env));
  const meshSecret = config.MESH_SECRET ?? note?.meshSecret;
  // A tool that authenticates by the secret needs no certificate of its own.
  const tls = await findTls(env, log, meshSecret === undefined ? "reconciler" : undefined);
  const amqpUrl = config.AMQP_URL ?? note?.amqpUrl;
  const signal = AbortSignal.timeout(patienceMs);
  const bus = await openBus({ amqpUrl, databaseUrl, name: "smartcart-cli", log, signal }).catch(
    (cause: unknown) => {
      throw signal.aborted ? noAnswer(cause) : cause;
    },
  );
  return {
    databaseUrl,
    bus,
    urls: await findUrls(env),
    meshSecret,
    tls,
    opsToken: config.OPS_TOKEN,
    log,
    async [Symbol.asyncDispose]() {
      await tls?.[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
    },
  };
}

/**
 * The certificates by which services are known: those that the variables name, else those of what runs in the state folder; undefined:
 * there are none. With `service`, also those by which this tool proves to be it. The caller disposes of them.
 */
export async function findTls(
  env: NodeJS.ProcessEnv,
  log: Logger,
  service?: string,
): Promise<TlsFiles | undefined> {
  const config = parseSmartCartConfig(env);
  const note = await readRunningNote(stateDirectory(env));
  return openTlsFiles({ config: hasTls(config) ? config : (note?.tls ?? config), service, log });
}

/** The URL of the database: what DATABASE_URL names, else what runs in the state folder. @throws StartError where nothing runs there */
export async function findDatabase(env: NodeJS.ProcessEnv): Promise<string> {
  const { DATABASE_URL } = parseSmartCartConfig(env);
  const stateFolder = stateDirectory(env);
  const databaseUrl = DATABASE_URL ?? (await findEmbeddedPostgres({ stateDirectory: stateFolder }));
  if (databaseUrl !== undefined) return databaseUrl;
  throw new StartError(
    `no SmartCart runs in ${stateFolder}; start it, or set DATABASE_URL or SMARTCART_STATE to the values of the running one`,
    { variable: "DATABASE_URL" },
  );
}

/** Base URL by service: what the variables name, else what runs in the state folder, else the usual ports. */
export async function findUrls(env: NodeJS.ProcessEnv): Promise<Readonly<Record<string, string>>> {
  const config = parseSmartCartConfig(env);
  const note = await readRunningNote(stateDirectory(env));
  return { ...(note?.urls ?? urlsOf(config)), ...namedUrls(env) };
}

/** A service waits for its database without limit; a command has a person waiting for it. */
const patienceMs = 10_000;

function noAnswer(cause: unknown): StartError {
  return new StartError(
    `no response within ${patienceMs / 1000} s: check DATABASE_URL and AMQP_URL, and that both servers run`,
    { variable: "DATABASE_URL", cause },
  );
}

const services = [
  { name: "order", port: "ORDER_PORT", url: "ORDER_URL" },
  { name: "inventory", port: "INVENTORY_PORT", url: "INVENTORY_URL" },
  { name: "payment", port: "PAYMENT_PORT", url: "PAYMENT_URL" },
  { name: "shipping", port: "SHIPPING_PORT", url: "SHIPPING_URL" },
  { name: "notification", port: "NOTIFICATION_PORT", url: "NOTIFICATION_URL" },
  { name: "status-hub", port: "STATUS_PORT", url: "STATUS_URL" },
  { name: "log", port: "LOG_PORT", url: "LOG_URL" },
  { name: "ops", port: "OPS_PORT", url: "OPS_URL" },
] as const;

/** On this machine, on their ports. */
function urlsOf(config: ReturnType<typeof parseSmartCartConfig>): Record<string, string> {
  return Object.fromEntries(
    services.map(({ name, port }) => [name, serverUrl(config.HOST, config[port], hasTls(config))]),
  );
}

function namedUrls(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    services.flatMap(({ name, url }) => {
      const named = env[url];
      return named ? [[name, named] as const] : [];
    }),
  );
}
