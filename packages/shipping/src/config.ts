import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, num, port, str } from "@smartcart/runtime";

/** What the environment may say about the shipping service. */
export const shippingConfig = {
  ...commonConfig,
  SHIPPING_PORT: port({ default: 8086, desc: "Port of the shipping service" }),
  SHIPPING_DELAY_MS: int({
    default: 1000,
    desc: "How long a shipment takes from its start until it leaves, in milliseconds",
  }),
  SHIPPING_POLL_MS: int({
    default: 100,
    desc: "Shortest pause between two looks for shipments that are due, in milliseconds",
  }),
  ORDER_RETENTION_DAYS: num({
    default: 0,
    desc: "Days after which an order that has come to its end is deleted, with its payment, reservation and shipment; 0 keeps it for ever",
  }),
  SHIPPING_FAILURE_RATE: num({
    default: 0,
    desc: "Share of attempts to start a shipment that fail, 0 to 1, to see the retries at work",
  }),
  SHIPPING_LOG_FILE: str({
    default: undefined,
    desc: "File that gets a line for each shipment that starts; unset: shipping.log in the state folder",
  }),
  // Decides where the state folder is when SMARTCART_STATE does not.
  XDG_STATE_HOME: str({ default: undefined, desc: "The user's folder for state" }),
};

/** The parsed configuration of the shipping service. */
export type ShippingConfig = CleanedEnv<typeof shippingConfig>;
