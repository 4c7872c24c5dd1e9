import { commonConfig, int, parseConfig, port } from "@smartcart/runtime";

/** What the environment may say about the notification service. */
export const notificationConfig = {
  ...commonConfig,
  NOTIFICATION_PORT: port({ default: 8085, desc: "Port of the notification service" }),
  NOTIFICATION_POLL_MS: int({
    default: 50,
    desc: "Shortest interval between reads of the orders' outbox, in milliseconds",
  }),
};

/** Parses the environment; throws a ConfigError that names every bad variable. */
export function parseNotificationConfig(env: NodeJS.ProcessEnv) {
  return parseConfig(env, notificationConfig);
}

/** The parsed configuration of the notification service. */
export type NotificationConfig = ReturnType<typeof parseNotificationConfig>;
