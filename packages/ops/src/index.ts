export type { OpsConfig } from "./config.ts";
export { opsConfig, parseOpsConfig } from "./config.ts";
export type { PartAddress, PartAddresses } from "./parts.ts";
export { addressesOf } from "./parts.ts";
export type { OpsOptions, RunningOps } from "./service.ts";
export { startOps } from "./service.ts";
