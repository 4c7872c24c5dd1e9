export type { PeerAddress, ServiceConfig, ServiceContext, ServiceDefinition } from "./context.ts";
export type { RunServiceOptions, ServiceOptions } from "./run-service.ts";
export { runService } from "./run-service.ts";
export type { RunningService, ServiceServer } from "./start-service.ts";
export { startService } from "./start-service.ts";
export type { Unavailable } from "./unavailable.ts";
