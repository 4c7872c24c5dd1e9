import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, port, str, url } from "@smartcart/runtime";

/** What the environment may say about the status hub. */
export const statusHubConfig = {
  ...commonConfig,
  STATUS_PORT: port({ default: 8083, desc: "Port of the status hub; the WebSocket is at /ws" }),
  ORDER_URL: url({ default: "http://127.0.0.1:8080", desc: "Base URL of the order service" }),
  STATUS_ALLOWED_ORIGINS: str({
    default: "",
    desc: "Origins whose pages may connect, comma-separated, * for any; unset: pages from this host",
  }),
  STATUS_MAX_CONNECTIONS: int({ default: 20_000, desc: "Most connections at once" }),
  STATUS_MAX_CONNECTIONS_PER_ADDRESS: int({
    default: undefined,
    desc: "Most connections of one client address, as TRUSTED_PROXIES tell it; unset: 1000, and on this machine half of all connections",
  }),
  STATUS_MAX_CONNECTIONS_PER_USER: int({
    default: 100,
    desc: "Most connections that follow one user",
  }),
  STATUS_MAX_SUBSCRIPTIONS: int({ default: 100, desc: "Most subscriptions of one connection" }),
  STATUS_MAX_BUFFERED_BYTES: int({
    default: 256 * 1024,
    desc: "Bytes that may wait for a slow client before it is closed, to resume when it can",
  }),
  STATUS_HEARTBEAT_MS: int({
    default: 30_000,
    desc: "How often a client is pinged, in milliseconds; one that does not answer is dropped",
  }),
};

/** The parsed configuration of the status hub. */
export type StatusHubConfig = CleanedEnv<typeof statusHubConfig>;
