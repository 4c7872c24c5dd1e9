import type { ServiceImpl } from "@connectrpc/connect";
import type { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { Database } from "@smartcart/store";
import { forCall } from "@smartcart/store";
import { pageSizeOf } from "../catalogue/catalogue.ts";
import { importNotFound } from "../catalogue/catalogue-errors.ts";
import { isStaged } from "../store/catalogue-imports.ts";
import { listChanges } from "../store/import-changes.ts";
import { commitImport, stageImport } from "./catalogue-import.ts";
import { toImportChange } from "./import-change.ts";

/** What the RPCs for operators work on. */
export interface AdminDependencies {
  readonly database: Database;
  /** Largest picture that is taken, in bytes. */
  readonly maxPictureBytes: number;
  /** Called after products or their stock changed. */
  readonly onChange: () => void;
}

/** The RPCs of smartcart.inventory.v1.CatalogueAdminService that import files of goods. */
export function createImportRoutes({
  database,
  onChange,
}: AdminDependencies): Pick<
  ServiceImpl<typeof CatalogueAdminService>,
  "stageImport" | "listImportChanges" | "commitImport"
> {
  return {
    stageImport: async ({ importId, rows }) => ({
      problems: await stageImport(database, importId, rows),
    }),

    async listImportChanges({ importId, afterLine, pageSize }, context) {
      const size = pageSizeOf(pageSize);
      const db = forCall(database, context);
      if (!(await isStaged(db, importId))) throw importNotFound(importId);
      const found = await listChanges(db, importId, afterLine, size + 1);
      const page = found.slice(0, size);
      const lastLine = found.length > size ? (page.at(-1)?.line ?? 0) : 0;
      return { changes: page.map(toImportChange), lastLine };
    },

    async commitImport({ importId, ...options }) {
      const summary = await commitImport(database, importId, options);
      onChange();
      return { summary };
    },
  };
}
