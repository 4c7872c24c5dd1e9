import type { TemplateResult } from "lit-html";
import type { LogClient, OpsClient } from "../api/ops.ts";
import type { Shop } from "../shop.ts";
import type { DeskAccess } from "./desk-access.ts";

/** What the panels of the desk share. */
export interface Desk {
  readonly shop: Shop;
  readonly ops: OpsClient;
  readonly logs: LogClient;
  readonly access: DeskAccess;
  /** Aborted when the desk is left. */
  readonly signal: AbortSignal;
}

/** A part of the desk's page. Whatever it began ends with the desk's signal. */
export interface Panel {
  render(): TemplateResult;
}
