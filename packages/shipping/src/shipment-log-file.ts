import { appendFile, chmod, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Logger } from "@smartcart/runtime";
import { StartError } from "@smartcart/runtime";
import { startMessage } from "./shipment.ts";

/** The file in which people read which shipments began. */
export interface ShipmentLogFile {
  /**
   * Adds a line for each order: the time, a space, and `Shipping started for OrderId: ORD-…`. It never fails: a full disk
   * is a line in the log, not a reason to hold parcels back.
   */
  append(orderIds: readonly string[], startedAt: Date): Promise<void>;
}

/** Readable by its owner only: the lines tell who ordered what. */
const ownerOnly = { mode: 0o600 };

/**
 * Opens the file, with its folder, and shows that it can be written. It is opened anew for each batch, so that it may be
 * moved away at any time.
 *
 * @throws StartError that names SHIPPING_LOG_FILE
 */
export async function openShipmentLogFile(path: string, log: Logger): Promise<ShipmentLogFile> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await appendFile(path, "", ownerOnly);
    await closeToOthers(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(
      `SHIPPING_LOG_FILE: ${path} cannot be written (${why}); set it to a file that this user may write`,
      { variable: "SHIPPING_LOG_FILE", cause },
    );
  }
  return {
    async append(orderIds, startedAt) {
      const time = startedAt.toISOString();
      const lines = orderIds.map((orderId) => `${time} ${startMessage(orderId)}\n`);
      try {
        await appendFile(path, lines.join(""), ownerOnly);
      } catch (error) {
        log.error("shipping.log_file_failed", { path, lost: lines.length, error });
      }
    },
  };
}

/** Takes all access from other users. The group keeps its own: it may be that of a log collector. */
async function closeToOthers(path: string): Promise<void> {
  const found = await stat(path);
  const mode = found.mode & 0o777;
  if (found.isFile() && (mode & 0o007) !== 0) await chmod(path, mode & ~0o007);
}
