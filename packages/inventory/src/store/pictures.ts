/** Statements of the pictures. */
import type { Queryable } from "@smartcart/store";

/** A stored picture. */
export interface Picture {
  readonly mediaType: string;
  readonly content: Buffer;
}

/** Stores a picture under the hash of its bytes; one that is there is only touched. */
export async function savePicture(
  db: Queryable,
  sha256: string,
  mediaType: string,
  content: Uint8Array,
): Promise<void> {
  await db.query({
    name: "inventory.save_picture",
    text: `insert into picture (sha256, media_type, content) values ($1, $2, $3)
      on conflict (sha256) do update set touched_at = now()`,
    values: [sha256, mediaType, Buffer.from(content)],
  });
}

/** Reads a picture. */
export async function findPicture(db: Queryable, sha256: string): Promise<Picture | undefined> {
  const { rows } = await db.query<{ media_type: string; content: Buffer }>({
    name: "inventory.find_picture",
    text: "select media_type, content from picture where sha256 = $1",
    values: [sha256],
  });
  return rows.map(({ media_type, content }) => ({ mediaType: media_type, content }))[0];
}

/** Keeps a picture for the product that is about to refer to it. Answers whether it is there. */
export async function touchPicture(db: Queryable, sha256: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "inventory.touch_picture",
    text: "update picture set touched_at = now() where sha256 = $1",
    values: [sha256],
  });
  return rowCount > 0;
}

/** Keeps the pictures to which a staged import refers. */
export async function touchImportedPictures(tx: Queryable, importId: string): Promise<void> {
  await tx.query({
    text: `update picture set touched_at = now() where sha256 in (
        select substr(picture_url, 11) from catalogue_import_row where import_id = $1 and picture_url like '/pictures/%')`,
    values: [importId],
  });
}

/**
 * Looks at up to `limit` pictures that were touched longest ago, at least so long: those that a product has are touched, the others are
 * deleted. A picture that is chosen meanwhile is locked or touched, and left alone.
 */
export async function prunePictures(
  db: Queryable,
  olderThanMs: number,
  limit: number,
): Promise<{ readonly checked: number; readonly deleted: number }> {
  const { rows } = await db.query<{ checked: number; deleted: number }>({
    name: "inventory.prune_pictures",
    text: `with old as materialized (
        select sha256 from picture where touched_at < now() - $1 * interval '1 millisecond'
        order by touched_at limit $2 for update skip locked
      ), wanted as materialized (
        select sha256 from old where exists (
          select from product where picture_url = '/pictures/' || sha256 and picture_url like '/pictures/%')
      ), touched as (
        update picture set touched_at = now() where sha256 in (select sha256 from wanted)
      ), deleted as (
        delete from picture where sha256 in (select sha256 from old except select sha256 from wanted) returning 1
      )
      select (select count(*) from old)::int as checked, (select count(*) from deleted)::int as deleted`,
    values: [olderThanMs, limit],
  });
  return rows[0] ?? { checked: 0, deleted: 0 };
}
