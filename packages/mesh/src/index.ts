export { type CallScope, currentCall, detached } from "./call-scope.ts";
export { createServiceClient, type ServiceClient, type ServiceClientOptions } from "./client.ts";
export { createConnectionLimit } from "./connection-limit.ts";
export {
  DomainError,
  type DomainErrorInit,
  detailOf,
  type ErrorDetail,
  type FieldViolation,
  problemOf,
  ValidationError,
} from "./errors.ts";
export { readMessageJson } from "./message-json.ts";
export { createOpenApi } from "./openapi.ts";
export { describeSwitch, type Gauges } from "./part-service.ts";
export { createSwitch, type PartSwitch, switchNotFound, turnSwitch } from "./part-switch.ts";
export { boundPipelines } from "./pipelines.ts";
export { type Policy, policyOf } from "./policy.ts";
export { type HttpProblem, type HttpProblemInit, httpProblem } from "./problem.ts";
export type { Checks } from "./readiness.ts";
export type { RestHeader, RestOptions } from "./rest.ts";
export { type RunningServer, type ServerOptions, startServer } from "./server.ts";
export { settleItems } from "./settle-items.ts";
export { createTurns, type Turns } from "./turns.ts";
