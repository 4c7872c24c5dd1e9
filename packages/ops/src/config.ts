import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, port, secret, str, url } from "@smartcart/runtime";

/** What the environment may say about the operator's service. */
export const opsConfig = {
  ...commonConfig,
  OPS_PORT: port({ default: 8087, desc: "Port of the operator's service" }),
  OPS_TOKEN: secret({
    default: undefined,
    desc: "What the operations console must show to be let in; unset: no token is asked for, and the service starts on loopback only",
  }),
  OPS_INSTANCES: str({
    default: undefined,
    desc: "Processes that the operator's service watches, where a service has several: order=http://a:8080,order=http://b:8080; a service that is not named is watched at its *_URL",
  }),
  OPS_CHECK_INTERVAL_MS: int({
    default: 10_000,
    desc: "How often the invariants are held against what is stored, in milliseconds: new orders at once, the others bit by bit",
  }),
  OPS_BROKEN_AFTER_MS: int({
    default: 20_000,
    desc: "How long something has to contradict a invariant before it counts as broken, in milliseconds",
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

/** The parsed configuration of the operator's service. */
export type OpsConfig = CleanedEnv<typeof opsConfig>;
