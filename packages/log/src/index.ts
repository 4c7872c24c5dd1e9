export type { LogConfig } from "./config.ts";
export { logConfig, parseLogConfig } from "./config.ts";
export type { LogOptions } from "./service.ts";
export { startLog } from "./service.ts";
