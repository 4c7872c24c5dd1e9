/** `smartcart.ops.v1.InstanceService`: what every service tells the operations console, beside its own work. */
import { randomUUID } from "node:crypto";
import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import type { InstanceReportSchema } from "@smartcart/gen/ops/v1/instance_report_pb";
import { ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import { InstanceService } from "@smartcart/gen/ops/v1/instance_service_pb";
import type { Registry } from "@smartcart/runtime";
import { delay, silentLogger } from "@smartcart/runtime";
import type { Checks, ReadinessReport } from "../health/readiness.ts";
import { createReadiness } from "../health/readiness.ts";
import { readEdgeMetrics } from "./edge-metrics.ts";
import type { FaultSwitch } from "./fault-switch.ts";
import { setInstanceFaultSwitch } from "./fault-switch.ts";
import { createThrottledProbe } from "./throttled-probe.ts";

/** Numbers of a service by name, measured only while a console watches. */
export type Gauges = () => Promise<Readonly<Record<string, number>>>;

/** What a service tells of itself. */
export interface InstanceServiceOptions {
  /** The service: "order". */
  readonly name: string;
  readonly services: readonly DescService[];
  readonly metrics: Registry;
  readonly checks?: Checks;
  readonly gauges?: Gauges;
  /** Undefined outside of demo mode. */
  readonly faultSwitches?: readonly FaultSwitch[] | undefined;
}

const reportEveryMs = 1000;
const gaugesEveryMs = 1000;
/** A check is a question to the database or the queue: not one for every report. */
const checksEveryMs = 2000;

/** Registers the service. Nothing is measured while no console watches. */
export function registerInstanceService(
  router: ConnectRouter,
  o: InstanceServiceOptions,
  draining: AbortSignal,
): void {
  const report = createReporter(o, draining);

  async function* watchInstance(_: unknown, { signal }: HandlerContext) {
    const wake = AbortSignal.any([signal, draining]);
    while (!signal.aborted) {
      yield { report: await report() };
      // The start of a drain is reported at once.
      await delay(reportEveryMs, draining.aborted ? signal : wake).catch(() => {});
    }
  }

  router.service(InstanceService, {
    watchInstance,
    async setInstanceFaultSwitch(request) {
      return {
        faultSwitch: describeFaultSwitch(
          o.name,
          await setInstanceFaultSwitch(o.faultSwitches, o.name, request),
        ),
      };
    },
  });
}

type Report = MessageInitShape<typeof InstanceReportSchema>;

function createReporter(o: InstanceServiceOptions, draining: AbortSignal): () => Promise<Report> {
  const instanceId = randomUUID();
  const streams = streamsOf(o.services);
  const sampleGauges = createThrottledProbe({
    measure: async () => (await o.gauges?.()) ?? {},
    otherwise: {},
    intervalMs: gaugesEveryMs,
  });
  const sampleChecks = createThrottledProbe<ReadinessReport>({
    // /readyz logs its failures; here that would be a line every other second.
    measure: createReadiness(o.checks ?? {}, draining, silentLogger),
    otherwise: { status: "not ready", checks: {} },
    intervalMs: checksEveryMs,
  });
  return async () => {
    const [edges, gauges, readiness] = await Promise.all([
      readEdgeMetrics({ service: o.name, metrics: o.metrics, streams }),
      sampleGauges(),
      sampleChecks(),
    ]);
    const failed = Object.entries(readiness.checks).filter(([, result]) => result === "failed");
    return {
      service: o.name,
      instanceId,
      health: draining.aborted ? ServiceHealth.DRAINING : healthOf(readiness),
      failedChecks: failed.map(([name]) => name),
      edges,
      gauges: Object.entries(gauges).map(([name, value]) => ({ name, value: BigInt(value) })),
      faultSwitches: (o.faultSwitches ?? []).map((one) => describeFaultSwitch(o.name, one)),
    };
  };
}

function healthOf({ status }: ReadinessReport): ServiceHealth {
  return status === "ready" ? ServiceHealth.READY : ServiceHealth.NOT_READY;
}

/** A switch as the contract has it. */
export function describeFaultSwitch(
  service: string,
  { name, title, max, unit, value }: FaultSwitch,
) {
  return { service, name, title, unit, max: BigInt(max), value: BigInt(value()) };
}

function streamsOf(services: readonly DescService[]): ReadonlySet<string> {
  const methods = services.flatMap((service) => service.methods);
  const streams = methods.filter(({ methodKind }) => methodKind !== "unary");
  return new Set(streams.map((method) => `${method.parent.typeName}/${method.name}`));
}
