export { type CallScope, currentCall, detached } from "./call-scope.ts";
export { createServiceClient, type ServiceClient, type ServiceClientOptions } from "./client.ts";
export {
  DomainError,
  type DomainErrorInit,
  detailOf,
  type ErrorDetail,
  problemOf,
  ValidationError,
} from "./errors.ts";
export { describeSwitch, type Gauges } from "./part-service.ts";
export { createSwitch, type PartSwitch, switchNotFound, turnSwitch } from "./part-switch.ts";
export { type HttpProblem, type HttpProblemInit, httpProblem } from "./problem.ts";
export type { Checks } from "./readiness.ts";
export type { RestOptions } from "./rest.ts";
export { type RunningServer, startServer } from "./server.ts";
export type { ServerOptions } from "./server-options.ts";
export { settleItems } from "./settle-items.ts";
export { createTurns, type Turns } from "./turns.ts";
