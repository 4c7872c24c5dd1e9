import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { BatchShape } from "@smartcart/contract";
import { batchShapeOf, policyOf } from "@smartcart/contract";
import type { ItemError } from "@smartcart/gen/type/v1/problem_pb";
import type { Registry } from "@smartcart/runtime";
import { Histogram } from "@smartcart/runtime";
import { deadlineError } from "../client/upstream-error.ts";
import { currentCall, detached } from "../context/call-scope.ts";
import type { BatchedCall } from "./batched-call.ts";
import { createCallBatcher } from "./call-batching.ts";
import { fromItemError } from "./item-error.ts";

type UnaryFn = (request: Record<string, unknown>, options?: CallOptions) => Promise<Message>;
type AnyClient = Record<string, UnaryFn>;

/**
 * Replaces the methods that have a `BatchPolicy` by ones that join concurrent calls into one call of their batch method.
 * A call with headers, callbacks or context values of its own is sent alone, since a batch could not carry them.
 * A batched call belongs to the trace of its first item.
 */
export function batchCalls<S extends DescService>(
  client: Client<S>,
  service: S,
  metrics: Registry | undefined,
): Client<S> {
  const plain = client as unknown as AnyClient;
  const batching: AnyClient = { ...plain };
  for (const method of service.methods) {
    const policy = policyOf(method).batch;
    if (policy !== undefined) {
      const shape = batchShapeOf(method, policy.method);
      batching[method.localName] = createBatchedFn(plain, method, shape, policy.maxItems, metrics);
    }
  }
  return batching as unknown as Client<S>;
}

function createBatchedFn(
  client: AnyClient,
  method: DescMethod,
  shape: BatchShape,
  maxItems: number,
  metrics: Registry | undefined,
): UnaryFn {
  const single = client[method.localName] as UnaryFn;
  const { timeoutMs } = policyOf(method);
  const sizes = metrics && batchSizes(metrics).labels({ rpc_method: method.name });
  const batched = createCallBatcher<Message, Message>({
    maxItems,
    run(requests, deadlineAtMs) {
      sizes?.observe(requests.length);
      // The calls of all items go in one: neither the deadline nor the signal of the first one's call may bound it.
      return detached(() => sendAll(client, single, shape, requests, deadlineAtMs));
    },
  });
  return (request, options) => {
    if (options?.headers || options?.onHeader || options?.onTrailer || options?.contextValues) {
      return single(request, options);
    }
    return batched(create(method.input, request), batchedCall(options, timeoutMs));
  };
}

function batchedCall(options: CallOptions | undefined, policyMs: number | undefined): BatchedCall {
  const scope = currentCall();
  const timeoutMs = options?.timeoutMs ?? policyMs;
  const own = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
  const outer = scope?.deadlineAtMs;
  return {
    signal: options?.signal ?? scope?.signal,
    deadlineAtMs: own === undefined || outer === undefined ? (own ?? outer) : Math.min(own, outer),
    onDeadline: deadlineError,
  };
}

type Outcome = Message | Error;

async function sendAll(
  client: AnyClient,
  single: UnaryFn,
  shape: BatchShape,
  requests: readonly Message[],
  deadlineAtMs: number | undefined,
): Promise<readonly Outcome[]> {
  const options: CallOptions =
    deadlineAtMs === undefined ? {} : { timeoutMs: Math.max(1, deadlineAtMs - Date.now()) };
  const sendAlone = (request: Message): Promise<Outcome> =>
    single(request as never, options).catch((error: Error) => error);
  const [only] = requests;
  if (only !== undefined && requests.length === 1) {
    return [await sendAlone(only)];
  }
  try {
    const batch = client[shape.batch.localName] as UnaryFn;
    const response = (await batch({ requests }, options)) as unknown as { results: object[] };
    return response.results.map((result) => outcomeOf(result, shape.oneof));
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.InvalidArgument) {
      // One item breaks a rule, and the server refuses the whole before it works on any: each one on its own then.
      return Promise.all(requests.map(sendAlone));
    }
    throw error;
  }
}

function outcomeOf(result: object, oneof: string): Outcome {
  const { case: kind, value } =
    (result as Record<string, { case?: string; value?: unknown }>)[oneof] ?? {};
  switch (kind) {
    case "response":
      return value as Message;
    case "error":
      return fromItemError(value as ItemError);
    default:
      return new ConnectError("an item of the batch has no answer", Code.Internal);
  }
}

function batchSizes(registry: Registry): Histogram<"rpc_method"> {
  const name = "rpc_client_batch_items";
  const known = registry.getSingleMetric(name) as Histogram<"rpc_method"> | undefined;
  return (
    known ??
    new Histogram({
      name,
      help: "Calls that were sent as one batch",
      labelNames: ["rpc_method"],
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers: [registry],
    })
  );
}
