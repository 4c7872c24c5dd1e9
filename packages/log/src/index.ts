export type { LogConfig } from "./config.ts";
export { logConfig } from "./config.ts";
export type { LogOptions } from "./service.ts";
export { startLog } from "./service.ts";
