import type { DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import type { Registry } from "@smartcart/runtime";
import { Histogram } from "@smartcart/runtime";
import { codeName } from "../errors/status-codes.ts";

/** Records the outcome of one call. `code` undefined: it went well. */
export type RecordCall = (code: Code | undefined, seconds: number) => void;

/** `caller` is set on a server only: whether another service called, or a client. */
type Labels = "rpc_service" | "rpc_method" | "code" | "caller";

/** Who called. A service ("part") counts its calls itself; a "client" is everybody else. */
export type CallerKind = "part" | "client";

/** Names of the histograms from which a service's report is made. */
export const clientDuration = "rpc_client_duration_seconds";
/** As `clientDuration`, measured by the server. Only here `caller` is set, so that calls of other services are not counted twice. */
export const serverDuration = "rpc_server_duration_seconds";

/** Upper bounds in seconds. */
export const callBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The histogram of that name, which several clients or servers of one registry share. */
export function callHistogram(registry: Registry, name: string, help: string): Histogram<Labels> {
  const known = registry.getSingleMetric(name) as Histogram<Labels> | undefined;
  const labelNames: Labels[] = ["rpc_service", "rpc_method", "code", "caller"];
  const settings = { name, help, labelNames, buckets: callBuckets };
  return known ?? new Histogram({ ...settings, registers: [registry] });
}

/** Recorder for one method; the label sets are looked up once per code, not per call. */
export function createCallRecorder(
  histogram: Histogram<Labels>,
  method: DescMethod,
  caller?: CallerKind,
): RecordCall {
  const children = new Map<Code | undefined, { observe(seconds: number): void }>();
  return (code, seconds) => {
    let child = children.get(code);
    if (child === undefined) {
      child = histogram.labels({
        rpc_service: method.parent.typeName,
        rpc_method: method.name,
        code: code === undefined ? "OK" : codeName(code),
        ...(caller !== undefined && { caller }),
      });
      children.set(code, child);
    }
    child.observe(seconds);
  };
}
