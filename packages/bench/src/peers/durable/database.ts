import pg from "pg";
import { databaseUrl } from "../environment.ts";

export const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });

/** A transaction, as the documentation of `pg` has it. */
export async function transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const result = await work(client);
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}
