/** The statement that shows what a staged import would change. */
import type { Queryable } from "@smartcart/store";
import { differs } from "./catalogue-imports.ts";

/** The columns of a product that an import sets; null: not in the file, or no product. */
export interface ChangeCells {
  readonly name: string | null;
  readonly description: string | null;
  readonly category: string | null;
  readonly emoji: string | null;
  readonly picture_url: string | null;
  readonly currency: string | null;
  readonly price_minor: string | null;
  readonly archived: boolean | null;
}

/** A staged line that changes something. */
export interface ChangeRow {
  readonly line: number;
  readonly product_id: string;
  readonly is_new: boolean;
  /** Units that a new product begins with. */
  readonly stock: number | null;
  readonly before: ChangeCells;
  readonly after: ChangeCells;
}

/** Lists up to `limit` lines that add or change a product, after a line of the file. */
export async function listChanges(
  db: Queryable,
  importId: string,
  afterLine: number,
  limit: number,
): Promise<ChangeRow[]> {
  const { rows } = await db.query<ChangeRow>({
    text: `select r.line, r.product_id, p.product_id is null as is_new, r.stock,
        jsonb_build_object('name', p.name, 'description', p.description, 'category', p.category, 'emoji', p.emoji,
          'picture_url', p.picture_url, 'currency', p.currency_code, 'price_minor', p.price_minor::text,
          'archived', p.archived_at is not null) as before,
        jsonb_build_object('name', r.name, 'description', r.description, 'category', r.category, 'emoji', r.emoji,
          'picture_url', r.picture_url, 'currency', r.currency_code, 'price_minor', r.price_minor::text,
          'archived', r.archived) as after
      from catalogue_import_row r left join product p using (product_id)
      where r.import_id = $1 and r.line > $2 and r.product_id is not null and (p.product_id is null or ${differs})
      order by r.line limit $3`,
    values: [importId, afterLine, limit],
  });
  return rows;
}
