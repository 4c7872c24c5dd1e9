import type { Logger } from "@smartcart/runtime";
import { createDatabase } from "./database.ts";

/**
 * Identifies this database: the system identifier of its server and the database's OID. It stays the same through restarts, updates and
 * failovers to a physical replica; a restored dump is another database. Undefined where the role may not read it.
 */
export async function databaseIdentity(url: string, log: Logger): Promise<string | undefined> {
  await using database = createDatabase({ url, schema: "public", log, maxConnections: 1 });
  try {
    const { rows } = await database.query<{ identity: string }>({
      text: `select system_identifier || '-' || oid as identity
        from pg_control_system(), pg_database where datname = current_database()`,
    });
    return rows[0]?.identity;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "42501") throw error;
    log.warn("database.identity_hidden", { error });
    return undefined;
  }
}
