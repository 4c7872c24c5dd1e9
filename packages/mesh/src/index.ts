export { refusalOf as accessRefusalOf } from "./auth/access.ts";
export { authenticationError } from "./auth/access-errors.ts";
export { operatorOf } from "./auth/authentication.ts";
export { createCallerTokens } from "./auth/caller-token.ts";
export { type BatchErrors, settleBatch } from "./batch/batch-results.ts";
export {
  createServiceClient,
  type ServiceClient,
  type ServiceClientOptions,
} from "./client/client.ts";
export { type CallScope, currentCall, detached } from "./context/call-scope.ts";
export type { ErrorMapper } from "./errors/error-mapping.ts";
export {
  DomainError,
  type DomainErrorInit,
  detailOf,
  type ErrorDetail,
  problemOf,
  ValidationError,
} from "./errors/errors.ts";
export {
  type HttpProblem,
  type HttpProblemInit,
  httpProblem,
  problemOfError as httpProblemOf,
} from "./errors/problem.ts";
export type { Checks } from "./health/readiness.ts";
export { isAllowedOrigin } from "./http/allowed-origin.ts";
export { clientOf } from "./http/client-of.ts";
export type { NodeRequest, NodeResponse } from "./http/node-http.ts";
export { onlyHttp1 } from "./http/only-http1.ts";
export { boundPipelines } from "./http/pipelines.ts";
export { createProtocolMux, type ProtocolMux } from "./http/protocol-mux.ts";
export { demandTls } from "./http/strict-transport.ts";
export {
  createFaultSwitch,
  type FaultSwitch,
  setInstanceFaultSwitch,
  switchNotFound,
} from "./instance/fault-switch.ts";
export { describeFaultSwitch, type Gauges } from "./instance/instance-service.ts";
export { createRateLimits, type RateLimits } from "./limits/rate-limit.ts";
export type { RestOptions } from "./rest/rest.ts";
export { listenBacklog, type RunningServer, startServer } from "./server/server.ts";
export type { ServerOptions } from "./server/server-options.ts";
