/** `smartcart up`: starts everything, prints where it is, and stops it on a signal. */

import { resolve } from "node:path";
import { removeEmbeddedPostgres } from "@smartcart/engines";
import type { TlsConfig } from "@smartcart/identity";
import { hasTls } from "@smartcart/identity";
import type { MainContext } from "@smartcart/runtime";
import { runMain, stateDirectory, writeOutput } from "@smartcart/runtime";
import { leaveRunningNote } from "../attach/running-file.ts";
import { parseSmartCartConfig } from "../config.ts";
import { findRabbitMq } from "../rabbitmq/find-rabbitmq.ts";
import { buildPage } from "../web/build-page.ts";
import { banner } from "./banner.ts";
import { assertPortsFree } from "./check-ports.ts";
import { createConsoleLog } from "./console-log.ts";
import { startSmartCart } from "./start-smartcart.ts";

export interface UpOptions {
  /** Find or start a RabbitMQ instead of using the queue on PostgreSQL. */
  readonly rabbitmq: boolean;
  /** Begin with an empty state folder. */
  readonly fresh: boolean;
  /** For a program: log records as JSON also on a terminal, the last of the start with the URLs, and no table. */
  readonly json: boolean;
}

/** Swallows the JSON lines where a person reads along; `createConsoleLog` writes for them instead. */
const nowhere = { write() {} };

/** For tools that are started in another folder. */
function pathsIn(config: TlsConfig): TlsConfig {
  const absolute = (path: string | undefined) => path && resolve(path);
  return {
    TLS_CERT: absolute(config.TLS_CERT),
    TLS_KEY: absolute(config.TLS_KEY),
    MESH_TLS_CA: absolute(config.MESH_TLS_CA),
    MESH_TLS_CERT: absolute(config.MESH_TLS_CERT),
    MESH_TLS_KEY: absolute(config.MESH_TLS_KEY),
  };
}

export function runUp({ rabbitmq, fresh, json }: UpOptions): Promise<void> {
  const readByPerson = process.stdout.isTTY === true && !json;
  const start = async ({ env, signal, log }: MainContext) => {
    const startedAt = performance.now();
    if (readByPerson) log.addSink(createConsoleLog());
    const config = parseSmartCartConfig(env);
    await using started = new AsyncDisposableStack();
    const state = stateDirectory(env);
    await assertPortsFree(config, state);
    if (fresh) await removeEmbeddedPostgres({ stateDirectory: state, log });
    const broker =
      rabbitmq || config.AMQP_URL !== undefined
        ? started.use(
            await findRabbitMq({ amqpUrl: config.AMQP_URL, stateDirectory: state, fresh, log }),
          )
        : undefined;
    // Beside the database's first start, since each takes a second or so. `startSmartCart` reports its failure.
    const page = buildPage();
    page.catch(() => {});
    const smartcart = started.use(
      await startSmartCart({
        config,
        stateDirectory: state,
        amqpUrl: broker?.amqpUrl,
        page,
        log,
        signal,
      }),
    );
    const amqpUrl = broker?.amqpUrl;
    const { urls, meshSecret } = smartcart;
    const secrets = { ...(amqpUrl && { amqpUrl }), ...(meshSecret && { meshSecret }) };
    const note = {
      pid: process.pid,
      urls,
      ...secrets,
      ...(hasTls(config) && { tls: pathsIn(config) }),
    };
    started.use(await leaveRunningNote(state, note));
    const readyMs = performance.now() - startedAt;
    const queue = broker?.description ?? "on PostgreSQL";
    if (json) log.info("smartcart.ready", { urls, readyMs: Math.round(readyMs), queue });
    else writeOutput("stdout", banner({ smartcart, state, readyMs, queue }));
    return started.move();
  };
  return runMain("smartcart", start, readByPerson ? { destination: nowhere } : {});
}
