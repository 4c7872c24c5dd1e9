import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, num, port, str, url } from "@smartcart/runtime";
import { allCrashPoints } from "./crash-points.ts";

/** What the environment may say about the order service. */
export const orderConfig = {
  ...commonConfig,
  ORDER_PORT: port({ default: 8080, desc: "port of the order service" }),
  // Not called from here: /asyncapi.json tells where it is.
  STATUS_PORT: port({ default: 8083, desc: "Port of the status hub; the WebSocket is at /ws" }),
  INVENTORY_URL: url({
    default: "http://127.0.0.1:8081",
    desc: "base URL of the inventory service",
  }),
  PAYMENT_URL: url({ default: "http://127.0.0.1:8082", desc: "base URL of the payment service" }),
  SHIPPING_URL: url({ default: "http://127.0.0.1:8086", desc: "base URL of the shipping service" }),
  ORDER_ANSWER_TIMEOUT_MS: int({
    default: 2_000,
    desc: "time that PlaceOrder waits for the outcome before it responds with PENDING, in milliseconds",
  }),
  ORDER_RATE_LIMIT_PER_SECOND: int({
    default: undefined,
    desc: "RATE_LIMIT_PER_ADDRESS of the order service; unset: that of all services",
  }),
  ORDER_MAX_IN_FLIGHT: int({
    default: 2_048,
    desc: "maximum number of concurrent requests, then 503",
  }),
  ORDER_SHIPMENT_OVERDUE_MS: int({
    default: 20_000,
    desc: "time that an order waits for shipment events before the shipping service is asked, in milliseconds",
  }),
  IDEMPOTENCY_KEY_TTL_MS: int({
    default: 24 * 60 * 60 * 1_000,
    desc: "minimum time that an Idempotency-Key and its response are kept, in milliseconds",
  }),
  ORDER_RETENTION_DAYS: num({
    default: 0,
    desc: "Retention of final orders with their payment, reservation and shipment, in days; 0: kept for ever",
  }),
  CORS_ORIGINS: str({
    default: "",
    desc: "origins of other sites that may call the service from a browser (CORS), comma-separated",
  }),
  ORDER_CRASH_AT: str({
    choices: allCrashPoints,
    default: undefined,
    desc: "for fault tests only: the crash point at which the process kills itself",
  }),
};

export type OrderConfig = CleanedEnv<typeof orderConfig>;
