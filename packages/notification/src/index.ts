export type { NotificationConfig } from "./config.ts";
export { notificationConfig } from "./config.ts";
export type { NotificationOptions } from "./service.ts";
export { startNotification } from "./service.ts";
