/** The database as its administrator sees it: beside the proxies, over all schemas. */
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import type { Infrastructure } from "./infrastructure.ts";

/** To be opened anew after each restart of the engine: its port may be another one. */
export function openAdminDatabase({ database }: Pick<Infrastructure, "database">): Database {
  return createDatabase({
    url: database.url,
    schema: "orders",
    log: silentLogger,
    maxConnections: 2,
  });
}
