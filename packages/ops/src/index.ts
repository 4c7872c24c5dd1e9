export type { OpsConfig } from "./config.ts";
export { opsConfig } from "./config.ts";
export type { InstanceAddress, InstanceAddresses } from "./instance-addresses.ts";
export { addressesOf } from "./instance-addresses.ts";
export type { OpsOptions } from "./service.ts";
export { startOps } from "./service.ts";
