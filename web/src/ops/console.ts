import type { TemplateResult } from "lit-html";
import type { InventoryClient } from "../api/inventory.ts";
import type { CatalogueAdminClient, LogClient, OpsClient, OrderAdminClient } from "../api/ops.ts";
import type { Shop } from "../shop.ts";
import type { ConsoleAccess } from "./console-access.ts";

/** What the panels of the console share. */
export interface Console {
  readonly shop: Shop;
  readonly ops: OpsClient;
  readonly logs: LogClient;
  readonly orders: OrderAdminClient;
  readonly catalogue: CatalogueAdminClient;
  readonly inventory: InventoryClient;
  readonly access: ConsoleAccess;
  /** Aborted when the console is left. */
  readonly signal: AbortSignal;
}

/** A service of the console's page. Whatever it began ends with the console's signal. */
export interface Panel {
  render(): TemplateResult;
}
