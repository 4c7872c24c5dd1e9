import { InstanceService } from "@smartcart/gen/ops/v1/instance_service_pb";
import type { TlsFiles } from "@smartcart/identity";
import type { ServiceClient } from "@smartcart/mesh";
import { createServiceClient } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { delay } from "@smartcart/runtime";
import type { Attention } from "./attention.ts";
import type { Track } from "./edges.ts";
import { follow } from "./edges.ts";
import type { InstanceAddress, ServiceName } from "./instance-addresses.ts";

/** What is watched, and how. */
export interface InstanceWatchOptions {
  readonly service: ServiceName;
  readonly address: InstanceAddress;
  readonly meshSecret: string | undefined;
  readonly tls?: TlsFiles | undefined;
  readonly log: Logger;
  readonly attention: Attention;
}

/** A process of a service that is watched. */
export interface InstanceWatch extends AsyncDisposable {
  readonly service: ServiceName;
  readonly client: ServiceClient<typeof InstanceService>;
  /** What it said lately; empty where it does not answer. */
  track(): Track;
}

/** A process without a report for so long counts as unreachable. */
const silentMs = 5_000;
const longestPauseMs = 2_000;

/** Monitors one process while a console is open, and reconnects after each loss. */
export function startInstanceWatch(o: InstanceWatchOptions): InstanceWatch {
  const { service, log, attention } = o;
  const client = createServiceClient(InstanceService, {
    caller: "ops",
    ...o.address,
    audience: service,
    log,
    meshSecret: o.meshSecret,
    tls: o.tls,
  });
  const stop = new AbortController();
  let track: Track = [];
  let pauseMs = 0;

  async function watch(): Promise<void> {
    const signal = AbortSignal.any([stop.signal, attention.asleep()]);
    for await (const { report } of client.watchInstance({}, { signal })) {
      if (report === undefined) continue;
      if (track.length === 0) log.debug("ops.part_seen", { service });
      pauseMs = 0;
      track = follow(track, { atMs: performance.now(), report });
    }
  }

  const keep = async () => {
    while (!stop.signal.aborted) {
      await attention.untilAwake(stop.signal);
      const reason: unknown = await watch().catch((error: unknown) => error);
      if (stop.signal.aborted) return;
      if (track.length > 0 && attention.isAwake())
        log.info("ops.part_lost", { service, error: reason });
      track = [];
      pauseMs = Math.min(longestPauseMs, Math.max(100, pauseMs * 2));
      await delay(pauseMs, stop.signal).catch(() => {});
    }
  };
  const keeping = keep();

  return {
    service,
    client,
    track() {
      const lastMs = track.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
      return performance.now() - lastMs > silentMs ? [] : track;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await keeping;
      client[Symbol.dispose]();
    },
  };
}
