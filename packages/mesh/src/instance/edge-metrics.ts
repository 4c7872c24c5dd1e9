/**
 * The edges of the mesh as one service counts them: read from its metrics, so that a number is counted in one place only.
 * A service counts the calls that it makes, what comes from outside the mesh, and its messages; then each edge has one owner.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EdgeMetricsSchema } from "@smartcart/gen/ops/v1/instance_report_pb";
import { EdgeKind } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { Registry } from "@smartcart/runtime";
import { callBuckets, clientDuration, serverDuration } from "../telemetry/call-metrics.ts";
import { serviceName } from "../telemetry/service-name.ts";

type FlowInit = MessageInitShape<typeof EdgeMetricsSchema>;

/** A value of a metric, as prom-client gives it. */
interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly metricName?: string;
}

/** Where the figures are read from. */
export interface EdgeMetricsOptions {
  /** The service. */
  readonly service: string;
  readonly metrics: Registry;
  /** Methods whose calls are streams, "<service>/<method>": they last as long as the client listens. */
  readonly streams: ReadonlySet<string>;
}

const boundsMs = callBuckets.map((seconds) => seconds * 1000);
/** The counters of the bus; see `createBusMetrics` there. */
const published = "smartcart_bus_published_total";
const handled = "smartcart_bus_handled_total";

/** Everything that went over the service's edges since it started. */
export async function readEdgeMetrics(o: EdgeMetricsOptions): Promise<FlowInit[]> {
  const { service, metrics, streams } = o;
  const calls = new Map<string, CallFlow>();
  for (const sample of await samplesOf(metrics, clientDuration)) {
    addCall(calls, sample, service, serviceName(String(sample.labels.rpc_service)));
  }
  for (const sample of await samplesOf(metrics, serverDuration)) {
    const { rpc_service, rpc_method, caller } = sample.labels;
    if (caller === "client" && !streams.has(`${rpc_service}/${rpc_method}`)) {
      addCall(calls, sample, "client", service);
    }
  }
  return [
    ...[...calls.values()].map(toFlow),
    ...messages(service, "queue", await samplesOf(metrics, published), "confirmed"),
    ...messages("queue", service, await samplesOf(metrics, handled), "ack"),
  ];
}

interface CallFlow {
  readonly from: string;
  readonly to: string;
  count: number;
  errors: number;
  /** By bound: how many took no longer, as prom-client counts. */
  readonly within: number[];
}

function addCall(calls: Map<string, CallFlow>, sample: Sample, from: string, to: string): void {
  const key = `${from} ${to}`;
  const flow = calls.get(key) ?? { from, to, count: 0, errors: 0, within: boundsMs.map(() => 0) };
  calls.set(key, flow);
  if (sample.metricName?.endsWith("_count")) {
    flow.count += sample.value;
    flow.errors += sample.labels.code === "OK" ? 0 : sample.value;
    return;
  }
  const at = callBuckets.indexOf(Number(sample.labels.le));
  if (sample.metricName?.endsWith("_bucket") && at >= 0) {
    flow.within[at] = (flow.within[at] ?? 0) + sample.value;
  }
}

function toFlow({ from, to, count, errors, within }: CallFlow): FlowInit {
  return {
    from,
    to,
    kind: EdgeKind.CALL,
    count: BigInt(count),
    errors: BigInt(errors),
    latencyCounts: within.map((sum, at) => BigInt(sum - (within[at - 1] ?? 0))),
    latencyBoundsMs: boundsMs,
  };
}

function messages(from: string, to: string, samples: readonly Sample[], well: string): FlowInit[] {
  if (samples.length === 0) {
    return [];
  }
  const sum = (wanted: readonly Sample[]) => wanted.reduce((total, { value }) => total + value, 0);
  const failed = samples.filter(({ labels }) => labels.result !== well);
  const count = BigInt(sum(samples));
  return [{ from, to, kind: EdgeKind.MESSAGE, count, errors: BigInt(sum(failed)) }];
}

async function samplesOf(metrics: Registry, name: string): Promise<readonly Sample[]> {
  const metric = metrics.getSingleMetric(name);
  return metric === undefined ? [] : ((await metric.get()).values as readonly Sample[]);
}
