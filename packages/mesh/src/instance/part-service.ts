/** `smartcart.ops.v1.PartService`: what every part tells the operator's desk, beside its own work. */
import { randomUUID } from "node:crypto";
import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import type { PartReportSchema } from "@smartcart/gen/ops/v1/part_report_pb";
import { PartHealth } from "@smartcart/gen/ops/v1/part_report_pb";
import { PartService } from "@smartcart/gen/ops/v1/part_service_pb";
import type { Registry } from "@smartcart/runtime";
import { delay, silentLogger } from "@smartcart/runtime";
import type { Checks, ReadinessReport } from "../health/readiness.ts";
import { createReadiness } from "../health/readiness.ts";
import { readFlows } from "./part-flows.ts";
import type { PartSwitch } from "./part-switch.ts";
import { turnSwitch } from "./part-switch.ts";
import { createSampler } from "./sampler.ts";

/** Numbers of a part by name, measured when somebody watches. */
export type Gauges = () => Promise<Readonly<Record<string, number>>>;

/** What a part tells of itself. */
export interface PartServiceOptions {
  /** The part: "order". */
  readonly name: string;
  readonly services: readonly DescService[];
  readonly metrics: Registry;
  readonly checks?: Checks;
  readonly gauges?: Gauges;
  /** Undefined outside of demo mode. */
  readonly switches?: readonly PartSwitch[] | undefined;
}

const reportEveryMs = 1000;
const gaugesEveryMs = 1000;
/** A check is a question to the database or the queue: not one for every report. */
const checksEveryMs = 2000;

/** Registers the service. Nothing is measured while nobody watches. */
export function registerPartService(
  router: ConnectRouter,
  o: PartServiceOptions,
  draining: AbortSignal,
): void {
  const report = createReporter(o, draining);

  async function* watchPart(_: unknown, { signal }: HandlerContext) {
    const wake = AbortSignal.any([signal, draining]);
    while (!signal.aborted) {
      yield { report: await report() };
      // A part that begins to drain says so at once.
      await delay(reportEveryMs, draining.aborted ? signal : wake).catch(() => {});
    }
  }

  router.service(PartService, {
    watchPart,
    async turnSwitch(request) {
      return { switch: describeSwitch(o.name, await turnSwitch(o.switches, o.name, request)) };
    },
  });
}

type Report = MessageInitShape<typeof PartReportSchema>;

function createReporter(o: PartServiceOptions, draining: AbortSignal): () => Promise<Report> {
  const instanceId = randomUUID();
  const streams = streamsOf(o.services);
  const sampleGauges = createSampler({
    measure: async () => (await o.gauges?.()) ?? {},
    otherwise: {},
    intervalMs: gaugesEveryMs,
  });
  const sampleChecks = createSampler<ReadinessReport>({
    // /readyz has a line in the log for whoever asks; here it would be one every other second.
    measure: createReadiness(o.checks ?? {}, draining, silentLogger),
    otherwise: { status: "not ready", checks: {} },
    intervalMs: checksEveryMs,
  });
  return async () => {
    const [flows, gauges, readiness] = await Promise.all([
      readFlows({ part: o.name, metrics: o.metrics, streams }),
      sampleGauges(),
      sampleChecks(),
    ]);
    const failed = Object.entries(readiness.checks).filter(([, result]) => result === "failed");
    return {
      part: o.name,
      instanceId,
      health: draining.aborted ? PartHealth.DRAINING : healthOf(readiness),
      failedChecks: failed.map(([name]) => name),
      flows,
      gauges: Object.entries(gauges).map(([name, value]) => ({ name, value: BigInt(value) })),
      switches: (o.switches ?? []).map((one) => describeSwitch(o.name, one)),
    };
  };
}

function healthOf({ status }: ReadinessReport): PartHealth {
  return status === "ready" ? PartHealth.READY : PartHealth.NOT_READY;
}

/** A switch as the contract has it. */
export function describeSwitch(part: string, { name, title, max, unit, value }: PartSwitch) {
  return { part, name, title, unit, max: BigInt(max), value: BigInt(value()) };
}

function streamsOf(services: readonly DescService[]): ReadonlySet<string> {
  const methods = services.flatMap((service) => service.methods);
  const streams = methods.filter(({ methodKind }) => methodKind !== "unary");
  return new Set(streams.map((method) => `${method.parent.typeName}/${method.name}`));
}
