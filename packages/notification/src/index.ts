export type { NotificationConfig } from "./config.ts";
export { notificationConfig, parseNotificationConfig } from "./config.ts";
export type { NotificationOptions } from "./service.ts";
export { startNotification } from "./service.ts";
