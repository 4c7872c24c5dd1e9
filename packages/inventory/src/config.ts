import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, port } from "@smartcart/runtime";

/** What the environment may say about the inventory service. */
export const inventoryConfig = {
  ...commonConfig,
  INVENTORY_PORT: port({ default: 8081, desc: "port of the inventory service" }),
  RESERVATION_TTL_MS: int({
    default: 15 * 60 * 1000,
    desc: "how long units stay set aside where a Reserve does not say, in milliseconds",
  }),
  RESERVATION_SWEEP_MS: int({
    default: 1000,
    desc: "how often overdue reservations are put back, in milliseconds",
  }),
  STOCK_POLL_MS: int({
    default: 200,
    desc: "how often stock is read while somebody watches it, in milliseconds",
  }),
};

/** The parsed configuration of the inventory service. */
export type InventoryConfig = CleanedEnv<typeof inventoryConfig>;
