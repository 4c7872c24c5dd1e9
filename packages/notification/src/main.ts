/** The notification service as a process of its own. */
import { runService } from "@smartcart/service";
import { notificationConfig } from "./config.ts";
import { startNotification } from "./service.ts";

await runService({
  name: "notification",
  config: notificationConfig,
  start: startNotification,
});
