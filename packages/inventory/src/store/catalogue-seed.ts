/** Statements that fill the catalogue of a new database. */
import type { Queryable } from "@smartcart/store";

/** Waits for other processes that fill the same catalogue, until the end of the transaction. */
export async function lockSeed(tx: Queryable): Promise<void> {
  await tx.query({ text: "select pg_advisory_xact_lock(hashtextextended('smartcart.seed', 0))" });
}

/** Whether the catalogue was filled before. */
export async function isSeeded(tx: Queryable): Promise<boolean> {
  const { rows } = await tx.query({ text: "select from catalogue_seed" });
  return rows.length > 0;
}

/** Removes the products of the migrations: nothing refers to them yet. */
export async function clearCatalogue(tx: Queryable): Promise<void> {
  await tx.query({ text: "delete from stock" });
  await tx.query({ text: "delete from product" });
}

/** Notes that the catalogue was filled, and with what. */
export async function noteSeed(tx: Queryable, seed: string): Promise<void> {
  await tx.query({ text: "insert into catalogue_seed (seed) values ($1)", values: [seed] });
}
