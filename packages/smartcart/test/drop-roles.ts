import { silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";

/** Drops the roles that `createRoles` made with that prefix; they would outlive the database. */
export async function dropRoles(url: string, prefix: string): Promise<void> {
  await using database = createDatabase({ url, schema: "public", log: silentLogger });
  const { rows } = await database.query<{ role: string }>({
    text: "select rolname as role from pg_roles where rolname like $1 || '_%'",
    values: [prefix],
  });
  for (const { role } of rows) {
    await database.query({ text: `drop owned by ${role} cascade` });
    await database.query({ text: `drop role ${role}` });
  }
}
