/** Statements that stage and apply files of goods. */
import type { Queryable } from "@smartcart/store";
import type { ImportLine, ImportSummary } from "../import/import-row.ts";

/** Stores or renews an import, and locks it. Answers whether it was committed. */
export async function touchImport(tx: Queryable, importId: string): Promise<boolean> {
  const { rows } = await tx.query<{ committed: boolean }>({
    name: "inventory.touch_import",
    text: `insert into catalogue_import as i (import_id) values ($1)
      on conflict (import_id) do update set touched_at = now()
      returning summary is not null as committed`,
    values: [importId],
  });
  return rows[0]?.committed === true;
}

/** Forgets lines that a call before this one staged. */
export async function unstageLines(
  tx: Queryable,
  importId: string,
  lines: readonly number[],
): Promise<void> {
  await tx.query({
    name: "inventory.unstage_lines",
    text: "delete from catalogue_import_row where import_id = $1 and line = any($2::int[])",
    values: [importId, lines],
  });
}

/** Those of the ids that the catalogue has. */
export async function existingProducts(
  tx: Queryable,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ product_id: string }>({
    name: "inventory.existing_products",
    text: "select product_id from product where product_id = any($1::text[])",
    values: [ids],
  });
  return new Set(rows.map((row) => row.product_id));
}

/** The lines on which products are staged. */
export async function stagedLines(
  tx: Queryable,
  importId: string,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ product_id: string; line: number }>({
    name: "inventory.staged_lines",
    text: `select product_id, line from catalogue_import_row
      where import_id = $1 and product_id = any($2::text[])`,
    values: [importId, ids],
  });
  return new Map(rows.map((row) => [row.product_id, row.line]));
}

/** Stages lines that can be imported, and the numbers of those that cannot. */
export async function stageLines(
  tx: Queryable,
  importId: string,
  good: readonly ImportLine[],
  bad: readonly number[],
): Promise<void> {
  const rows = [...good.map(toRow), ...bad.map((line) => ({ line }))];
  await tx.query({
    name: "inventory.stage_lines",
    text: `insert into catalogue_import_row (import_id, line, product_id, name, description, category, emoji, picture_url,
        currency_code, price_minor, stock, archived)
      select $1, line, product_id, name, description, category, emoji, picture_url, currency_code, price_minor, stock, archived
      from jsonb_to_recordset($2::jsonb) as r (line int, product_id text, name text, description text, category text,
        emoji text, picture_url text, currency_code text, price_minor bigint, stock int, archived boolean)`,
    values: [importId, JSON.stringify(rows)],
  });
}

function toRow(value: ImportLine): Record<string, unknown> {
  const { productId, pictureUrl, currencyCode, priceMinor, ...rest } = value;
  return {
    ...rest,
    product_id: productId,
    picture_url: pictureUrl,
    currency_code: currencyCode,
    price_minor: priceMinor?.toString(),
  };
}

/** Locks an import; undefined where nothing was staged under the id. */
export async function lockImport(
  tx: Queryable,
  importId: string,
): Promise<{ summary: ImportSummary | null } | undefined> {
  const { rows } = await tx.query<{ summary: ImportSummary | null }>({
    name: "inventory.lock_import",
    text: "select summary from catalogue_import where import_id = $1 for update",
    values: [importId],
  });
  return rows[0];
}

/** How many lines are staged. */
export async function countLines(
  tx: Queryable,
  importId: string,
): Promise<{ good: number; rejected: number }> {
  const { rows } = await tx.query<{ good: number; rejected: number }>({
    name: "inventory.count_lines",
    text: `select count(product_id)::int as good, (count(*) - count(product_id))::int as rejected
      from catalogue_import_row where import_id = $1`,
    values: [importId],
  });
  return rows[0] ?? { good: 0, rejected: 0 };
}

/** Whether lines are staged under an id, and not committed. */
export async function isStaged(db: Queryable, importId: string): Promise<boolean> {
  const { rows } = await db.query({
    name: "inventory.is_staged",
    text: "select 1 from catalogue_import where import_id = $1 and summary is null",
    values: [importId],
  });
  return rows.length > 0;
}

/** Whether a staged line `r` differs from its product `p`. */
export const differs = `(
  coalesce(r.name, p.name), coalesce(r.description, p.description), coalesce(r.category, p.category), coalesce(r.emoji, p.emoji),
  coalesce(r.picture_url, p.picture_url), coalesce(r.currency_code, p.currency_code), coalesce(r.price_minor, p.price_minor),
  coalesce(r.archived, p.archived_at is not null)
) is distinct from (
  p.name, p.description, p.category, p.emoji, p.picture_url, p.currency_code, p.price_minor, p.archived_at is not null)`;

/** What the staged lines would change. */
export async function compareImport(
  tx: Queryable,
  importId: string,
): Promise<Omit<ImportSummary, "rejected">> {
  const { rows } = await tx.query<Omit<ImportSummary, "rejected">>({
    text: `select (count(*) filter (where p.product_id is null))::int as created,
        (count(*) filter (where p.product_id is not null and ${differs}))::int as updated,
        (count(*) filter (where p.product_id is not null and not ${differs}))::int as unchanged
      from catalogue_import_row r left join product p using (product_id)
      where r.import_id = $1 and r.product_id is not null`,
    values: [importId],
  });
  return rows[0] ?? { created: 0, updated: 0, unchanged: 0 };
}

/** Tells the planner what was staged just now: without it a join of two large sets can be taken for one of two small ones. */
export async function analyzeLines(tx: Queryable): Promise<void> {
  await tx.query({ text: "analyze catalogue_import_row" });
}

/** Tells the planner what the catalogue has now: until it knows, a search for a common word reads every product that has it. */
export async function analyzeCatalogue(tx: Queryable): Promise<void> {
  await tx.query({ text: "analyze product, stock" });
}

/** Adds the staged products that the catalogue does not have, with their stock. Answers how many. */
export async function insertImported(
  tx: Queryable,
  importId: string,
  timeoutMs: number,
): Promise<number> {
  await tx.query({
    text: `insert into product (product_id, name, description, category, emoji, picture_url, currency_code, price_minor, archived_at)
      select product_id, name, coalesce(description, ''), category, coalesce(emoji, ''), coalesce(picture_url, ''),
        currency_code, price_minor, case when archived then now() end
      from catalogue_import_row r
      where import_id = $1 and product_id is not null
        and not exists (select from product p where p.product_id = r.product_id)
      order by product_id
      on conflict (product_id) do nothing`,
    values: [importId],
    timeoutMs,
  });
  const { rowCount } = await tx.query({
    text: `insert into stock (product_id, initial, available)
      select product_id, coalesce(r.stock, 0), coalesce(r.stock, 0)
      from catalogue_import_row r
      where import_id = $1 and product_id is not null
        and not exists (select from stock s where s.product_id = r.product_id)
      order by product_id`,
    values: [importId],
    timeoutMs,
  });
  return rowCount;
}

/** Edits the products that differ from their staged lines. Answers how many. */
export async function updateImported(
  tx: Queryable,
  importId: string,
  timeoutMs: number,
): Promise<number> {
  const { rowCount } = await tx.query({
    // Locked in the order of their ids before they are compared, so that two imports do not deadlock and no edit is overlooked.
    text: `with locked as materialized (
        select p.product_id from product p join catalogue_import_row r using (product_id)
        where r.import_id = $1 and ${differs} order by p.product_id for update of p
      )
      update product p set
        name = coalesce(r.name, p.name), description = coalesce(r.description, p.description),
        category = coalesce(r.category, p.category), emoji = coalesce(r.emoji, p.emoji),
        picture_url = coalesce(r.picture_url, p.picture_url), currency_code = coalesce(r.currency_code, p.currency_code),
        price_minor = coalesce(r.price_minor, p.price_minor),
        archived_at = case when r.archived is null then p.archived_at when r.archived then coalesce(p.archived_at, now()) end,
        revision = p.revision + 1, updated_at = now()
      from catalogue_import_row r join locked using (product_id)
      where r.import_id = $1 and p.product_id = r.product_id and ${differs}`,
    values: [importId],
    timeoutMs,
  });
  return rowCount;
}

/** Forgets the lines, and keeps the summary for a repeated commit. */
export async function endImport(
  tx: Queryable,
  importId: string,
  summary: ImportSummary,
): Promise<void> {
  await tx.query({
    text: "delete from catalogue_import_row where import_id = $1",
    values: [importId],
  });
  await tx.query({
    text: "update catalogue_import set summary = $2::jsonb, touched_at = now() where import_id = $1",
    values: [importId, JSON.stringify(summary)],
  });
}

/** Deletes imports that have not changed for so long, committed or not. Answers how many. */
export async function pruneImports(db: Queryable, olderThanMs: number): Promise<number> {
  const { rowCount } = await db.query({
    name: "inventory.prune_imports",
    text: `with old as (
        select import_id from catalogue_import where touched_at < now() - $1 * interval '1 millisecond'
        for update skip locked
      ), lines as (
        delete from catalogue_import_row where import_id in (select import_id from old)
      )
      delete from catalogue_import where import_id in (select import_id from old)`,
    values: [olderThanMs],
  });
  return rowCount;
}
