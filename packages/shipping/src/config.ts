import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, num, port, str } from "@smartcart/runtime";

/** What the environment may say about the shipping service. */
export const shippingConfig = {
  ...commonConfig,
  SHIPPING_PORT: port({ default: 8086, desc: "Port of the shipping service" }),
  SHIPPING_DELAY_MS: int({
    default: 1000,
    desc: "Time from the start of a shipment until the parcel leaves, in milliseconds",
  }),
  SHIPPING_POLL_MS: int({
    default: 100,
    desc: "Shortest interval between searches for due shipments, in milliseconds",
  }),
  ORDER_RETENTION_DAYS: num({
    default: 0,
    desc: "Retention of final orders with their payment, reservation and shipment, in days; 0: kept for ever",
  }),
  SHIPPING_FAILURE_RATE: num({
    default: 0,
    desc: "Share of attempts to start a shipment that fail, 0 to 1, to demonstrate retries",
  }),
  SHIPPING_LOG_FILE: str({
    default: undefined,
    desc: "File to which one line per started shipment is appended; unset: shipping.log in the state folder",
  }),
  // Decides where the state folder is when SMARTCART_STATE does not.
  XDG_STATE_HOME: str({
    default: undefined,
    desc: "Base folder for state of the user (XDG Base Directory Specification)",
  }),
};

/** The parsed configuration of the shipping service. */
export type ShippingConfig = CleanedEnv<typeof shippingConfig>;
