/** The settings of all services together, so that every bad variable is reported at once. */
import { inventoryConfig } from "@smartcart/inventory";
import { logConfig } from "@smartcart/log";
import { notificationConfig } from "@smartcart/notification";
import { opsConfig } from "@smartcart/ops";
import { orderConfig } from "@smartcart/order";
import { paymentConfig } from "@smartcart/payment";
import { commonConfig, parseConfig, port, str, url } from "@smartcart/runtime";
import { shippingConfig } from "@smartcart/shipping";
import { statusHubConfig } from "@smartcart/status-hub";

/** What the environment may say about the page. */
export const webConfig = {
  ...commonConfig,
  AUTH_CLIENT_ID: str({
    default: undefined,
    desc: "Client ID of the page at AUTH_ISSUER, an OpenID provider: a public client with PKCE; unset: the page offers no sign-in",
  }),
  AUTH_SCOPE: str({
    default: "openid profile",
    desc: "Scopes that the page asks for at AUTH_ISSUER, separated by spaces; openid is required",
  }),
  WEB_PORT: port({ default: 5173, desc: "port of the web page" }),
  ORDER_URL: url({ default: "http://127.0.0.1:8080", desc: "base URL of the order service" }),
  INVENTORY_URL: url({
    default: "http://127.0.0.1:8081",
    desc: "base URL of the inventory service",
  }),
  STATUS_URL: url({ default: "http://127.0.0.1:8083", desc: "base URL of the status hub" }),
  LOG_URL: url({ default: "http://127.0.0.1:8084", desc: "base URL of the log service" }),
  OPS_URL: url({ default: "http://127.0.0.1:8087", desc: "base URL of the ops service" }),
};

/** Every setting of every service. */
export const allConfig = {
  ...webConfig,
  ...inventoryConfig,
  ...paymentConfig,
  ...orderConfig,
  ...notificationConfig,
  ...shippingConfig,
  ...statusHubConfig,
  ...logConfig,
  ...opsConfig,
};

/** All settings, parsed and with their defaults. */
export type SmartCartConfig = ReturnType<typeof parseSmartCartConfig>;

/** The settings of all services. @throws ConfigError with every invalid variable. */
export function parseSmartCartConfig(env: NodeJS.ProcessEnv) {
  return parseConfig(env, allConfig);
}
