import type { DescMethod } from "@bufbuild/protobuf";
import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import type { Logger, Registry } from "@smartcart/runtime";
import { callerHeader } from "../auth/caller-token.ts";
import { viaRestKey } from "../context/call-scope.ts";
import { problemOf } from "../errors/errors.ts";
import { codeName } from "../errors/status-codes.ts";
import type { RecordCall } from "./call-metrics.ts";
import { callHistogram, createCallRecorder, serverDuration } from "./call-metrics.ts";
import { createSampledLog } from "./sampled-log.ts";

/** Counts and logs a served call that has ended. `startedAt` is a time of `performance.now()`. */
export type RecordServed = (
  req: UnaryRequest | StreamRequest,
  startedAt: number,
  error?: unknown,
) => void;

/** What is known of a method. */
interface Recorders {
  readonly name: string;
  /** Calls of services, which those count themselves as edges; `client` is for all others. */
  readonly part: RecordCall;
  readonly client: RecordCall;
}

/** Durations by method, code and kind of caller, and an access log in which only failures are told by default. */
export function createCallRecord(o: { log: Logger; metrics: Registry }): RecordServed {
  const recordersOf = createRecorders(o.metrics);
  const logFailure = createSampledLog(o.log, "rpc.served");
  return (req, startedAt, error) => {
    const milliseconds = performance.now() - startedAt;
    const recorders = recordersOf(req.method);
    const record = req.header.has(callerHeader) ? recorders.part : recorders.client;
    const failure = error === undefined ? undefined : ConnectError.from(error).code;
    record(failure, milliseconds / 1000);
    // REST has an access log of its own.
    if (req.contextValues.get(viaRestKey)) return;
    const method = recorders.name;
    const durationMs = Math.round(milliseconds * 10) / 10;
    if (failure === undefined) {
      o.log.debug("rpc.served", { method, durationMs });
      return;
    }
    const problem = problemOf(error)?.code;
    const code = codeName(failure);
    logFailure(`${method} ${code} ${problem}`, { method, durationMs, code, problem });
  };
}

function createRecorders(metrics: Registry): (method: DescMethod) => Recorders {
  const help = "Time a served call took until its end, streams included";
  const histogram = callHistogram(metrics, serverDuration, help);
  const known = new Map<DescMethod, Recorders>();
  return (method) => {
    let recorders = known.get(method);
    if (recorders === undefined) {
      recorders = {
        name: `${method.parent.typeName}/${method.name}`,
        part: createCallRecorder(histogram, method, "part"),
        client: createCallRecorder(histogram, method, "client"),
      };
      known.set(method, recorders);
    }
    return recorders;
  };
}
