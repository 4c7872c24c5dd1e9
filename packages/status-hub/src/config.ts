import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, port, str, url } from "@smartcart/runtime";

/** What the environment may say about the status hub. */
export const statusHubConfig = {
  ...commonConfig,
  STATUS_PORT: port({ default: 8083, desc: "Port of the status hub; the WebSocket is at /ws" }),
  ORDER_URL: url({ default: "http://127.0.0.1:8080", desc: "Base URL of the order service" }),
  STATUS_ALLOWED_ORIGINS: str({
    default: "",
    desc: "Origins that may connect from a browser, comma-separated, * for any; unset: pages from the same host",
  }),
  STATUS_MAX_CONNECTIONS: int({ default: 20_000, desc: "Maximum number of connections" }),
  STATUS_MAX_CONNECTIONS_PER_ADDRESS: int({
    default: undefined,
    desc: "Maximum number of connections per client address (see TRUSTED_PROXIES); unset: 1000, and half of all connections for this machine",
  }),
  STATUS_MAX_CONNECTIONS_PER_USER: int({
    default: 100,
    desc: "Maximum number of connections that subscribe to one user",
  }),
  STATUS_MAX_SUBSCRIPTIONS: int({
    default: 100,
    desc: "Maximum number of subscriptions per connection",
  }),
  STATUS_MAX_BUFFERED_BYTES: int({
    default: 256 * 1024,
    desc: "Maximum number of buffered bytes per connection; a slower client is disconnected and can resume",
  }),
  STATUS_HEARTBEAT_MS: int({
    default: 30_000,
    desc: "Interval between pings of a client, in milliseconds; a client that does not respond is disconnected",
  }),
};

/** The parsed configuration of the status hub. */
export type StatusHubConfig = CleanedEnv<typeof statusHubConfig>;
