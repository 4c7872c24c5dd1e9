export { type OrderConfig, orderConfig } from "./config.ts";
export { type CrashPoint, type CrashPoints, crashAt } from "./crash-points.ts";
export { type OrderOptions, startOrder } from "./service.ts";
