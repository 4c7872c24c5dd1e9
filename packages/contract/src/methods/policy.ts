import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { getOption, hasOption } from "@bufbuild/protobuf";
import type {
  BatchPolicy,
  RestPolicy,
  RetryPolicy,
  WaitPolicy,
} from "@smartcart/gen/mesh/v1/options_pb";
import { method as methodOption } from "@smartcart/gen/mesh/v1/options_pb";

/** How a method is called and served, as its contract says (`smartcart.mesh.v1.method`), with defaults filled in. */
export interface Policy {
  /** Upper bound of one call in milliseconds; undefined: none, which only a stream may have. */
  readonly timeoutMs: number | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly batch: BatchPolicy | undefined;
  /** Calls that one process works on at once; 0: no bound. A stream always has one. */
  readonly maxConcurrency: number;
  /** Wait queue in front of `maxConcurrency`; undefined: no call waits. */
  readonly wait: WaitPolicy | undefined;
  readonly rest: RestPolicy | undefined;
}

/** Bound of a unary call whose contract states none. */
const defaultTimeoutMs = 5000;
/** Bound on the streams of one method whose contract states none: each event is sent to all of them. */
const defaultMaxStreams = 512;

const policies = new WeakMap<DescMethod, Policy>();

/** The policy of a method, read from its descriptor once. */
export function policyOf(method: DescMethod): Policy {
  let policy = policies.get(method);
  if (policy === undefined) {
    policy = readPolicy(method);
    policies.set(method, policy);
  }
  return policy;
}

/** Methods of the service that other methods name as their batch method. They carry many requests in one. */
export function batchTargets(service: DescService): ReadonlySet<string> {
  const names = service.methods.map((method) => policyOf(method).batch?.method);
  return new Set(names.filter((name) => name !== undefined));
}

function readPolicy(method: DescMethod): Policy {
  const option = hasOption(method, methodOption) ? getOption(method, methodOption) : undefined;
  const unary = method.methodKind === "unary";
  return {
    timeoutMs: option?.timeoutMs || (unary ? defaultTimeoutMs : undefined),
    retry: option?.retry,
    batch: option?.batch,
    maxConcurrency: option?.maxConcurrency || (unary ? 0 : defaultMaxStreams),
    wait: option?.wait,
    rest: option?.rest,
  };
}
