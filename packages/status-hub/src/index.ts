export type { StatusHubConfig } from "./config.ts";
export { statusHubConfig } from "./config.ts";
export type { StatusHubOptions } from "./service.ts";
export { startStatusHub } from "./service.ts";
