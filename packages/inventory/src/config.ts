import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, port, str } from "@smartcart/runtime";

/** What the environment may say about the inventory service. */
export const inventoryConfig = {
  ...commonConfig,
  INVENTORY_PORT: port({ default: 8081, desc: "port of the inventory service" }),
  PICTURE_MAX_KB: int({
    default: 1000,
    desc: "maximum size of an uploaded picture, in kilobytes; at most 2000, the bound of the contract",
  }),
  RESERVATION_TTL_MS: int({
    default: 15 * 60 * 1000,
    desc: "time until a reservation expires if Reserve sets none, in milliseconds",
  }),
  RESERVATION_SWEEP_MS: int({
    default: 1000,
    desc: "interval between searches for expired reservations, in milliseconds",
  }),
  SMARTCART_SEED: str({
    default: "demo",
    desc: "what the catalogue of a new database begins with: demo, none, or a file of goods (.csv, .jsonl)",
  }),
  STOCK_LEDGER_RETENTION_DAYS: int({
    default: 400,
    desc: "retention of the stock ledger in days; older entries become part of the opening balance; 0: kept for ever",
  }),
  STOCK_POLL_MS: int({
    default: 200,
    desc: "interval between reads of the stock while WatchStock streams are open, in milliseconds",
  }),
};

/** The parsed configuration of the inventory service. */
export type InventoryConfig = CleanedEnv<typeof inventoryConfig>;
