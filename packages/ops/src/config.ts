import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, port, str, url } from "@smartcart/runtime";

/** What the environment may say about the ops service. */
export const opsConfig = {
  ...commonConfig,
  OPS_PORT: port({ default: 8087, desc: "Port of the ops service" }),
  OPS_INSTANCES: str({
    default: undefined,
    desc: "Processes to monitor if a service has several: order=http://a:8080,order=http://b:8080; other services are monitored at their *_URL",
  }),
  OPS_CHECK_INTERVAL_MS: int({
    default: 10_000,
    desc: "Interval between checks of the invariants, in milliseconds; each check reads new orders and a slice of the others",
  }),
  OPS_BROKEN_AFTER_MS: int({
    default: 20_000,
    desc: "Time that a row must violate an invariant before the invariant counts as violated, in milliseconds",
  }),
  ORDER_URL: url({ default: "http://127.0.0.1:8080", desc: "Base URL of the order service" }),
  INVENTORY_URL: url({
    default: "http://127.0.0.1:8081",
    desc: "Base URL of the inventory service",
  }),
  PAYMENT_URL: url({ default: "http://127.0.0.1:8082", desc: "Base URL of the payment service" }),
  STATUS_URL: url({ default: "http://127.0.0.1:8083", desc: "Base URL of the status hub" }),
  LOG_URL: url({ default: "http://127.0.0.1:8084", desc: "Base URL of the log service" }),
  NOTIFICATION_URL: url({
    default: "http://127.0.0.1:8085",
    desc: "Base URL of the notification service",
  }),
  SHIPPING_URL: url({ default: "http://127.0.0.1:8086", desc: "Base URL of the shipping service" }),
};

/** The parsed configuration of the ops service. */
export type OpsConfig = CleanedEnv<typeof opsConfig>;
