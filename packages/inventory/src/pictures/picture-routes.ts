/** Pictures of products: taken from operators, and served to everybody under the hash of their bytes. */
import { createHash } from "node:crypto";
import type { ServiceImpl } from "@connectrpc/connect";
import type { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { ServerOptions } from "@smartcart/mesh";
import { ValidationError } from "@smartcart/mesh";
import type { Queryable } from "@smartcart/store";
import { findPicture, savePicture, touchPicture } from "../store/pictures.ts";
import { pictureTypeOf } from "./picture-type.ts";

interface PictureDependencies {
  readonly database: Queryable;
  /** Largest picture that is taken, in bytes. */
  readonly maxPictureBytes: number;
}

/** The RPC that takes a picture. */
export function createPictureMethods({
  database,
  maxPictureBytes,
}: PictureDependencies): Pick<ServiceImpl<typeof CatalogueAdminService>, "uploadPicture"> {
  return {
    async uploadPicture({ content }) {
      if (content.length > maxPictureBytes) {
        throw refusal(
          `is ${Math.ceil(content.length / 1_000)} kB, and at most ${maxPictureBytes / 1_000} are taken (PICTURE_MAX_KB); choose a smaller picture`,
        );
      }
      const mediaType = pictureTypeOf(content);
      if (!mediaType) throw refusal("is not a picture in PNG, JPEG, WebP or AVIF");
      const sha256 = createHash("sha256").update(content).digest("hex");
      await savePicture(database, sha256, mediaType, content);
      return { pictureUrl: pathOf(sha256), mediaType };
    },
  };
}

function refusal(message: string): ValidationError {
  return new ValidationError([{ field: "content", message }]);
}

const pathOf = (sha256: string): string => `/pictures/${sha256}`;

/**
 * Makes sure that a picture is there, and stays, before a product refers to it. Addresses of elsewhere are not looked at.
 * @throws ValidationError where it was never uploaded, or deleted
 */
export async function requirePicture(
  database: Queryable,
  pictureUrl: string | undefined,
): Promise<void> {
  const [, sha256] = /^\/pictures\/([0-9a-f]{64})$/.exec(pictureUrl ?? "") ?? [];
  if (sha256 === undefined || (await touchPicture(database, sha256))) return;
  const message = "names a picture that is not stored, or no longer; upload it again";
  throw new ValidationError([{ field: "pictureUrl", message }]);
}

type App = Parameters<NonNullable<ServerOptions["extraRoutes"]>>[0];

/** Serves the pictures. What is at a path never changes, so that a browser asks for it once. */
export function addPictureRoute(app: App, database: Queryable): void {
  app.get("/pictures/:sha256{[0-9a-f]{64}}", async (context) => {
    const sha256 = context.req.param("sha256");
    const etag = `"${sha256}"`;
    const headers = { etag, "cache-control": "public, max-age=31536000, immutable" };
    const known = context.req.header("if-none-match") ?? "";
    const picture = await findPicture(database, sha256);
    if (!picture) return context.notFound();
    if (known === "*" || known.includes(etag)) return context.body(null, 304, headers);
    return context.body(new Uint8Array(picture.content), 200, {
      ...headers,
      "content-type": picture.mediaType,
    });
  });
}
