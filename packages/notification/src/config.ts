import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, port } from "@smartcart/runtime";

/** What the environment may say about the notification service. */
export const notificationConfig = {
  ...commonConfig,
  NOTIFICATION_PORT: port({ default: 8085, desc: "Port of the notification service" }),
  NOTIFICATION_POLL_MS: int({
    default: 50,
    desc: "Shortest interval between reads of the orders' outbox, in milliseconds",
  }),
};

/** The parsed configuration of the notification service. */
export type NotificationConfig = CleanedEnv<typeof notificationConfig>;
