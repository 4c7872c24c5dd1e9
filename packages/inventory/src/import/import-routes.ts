import type { ServiceImpl } from "@connectrpc/connect";
import type { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { Database } from "@smartcart/store";
import { commitImport, stageImport } from "./catalogue-import.ts";

/** What the RPCs for operators work on. */
export interface AdminParts {
  readonly database: Database;
  /** Told that products or their stock changed. */
  readonly onChange: () => void;
}

/** The RPCs of smartcart.inventory.v1.CatalogueAdminService that import files of goods. */
export function createImportRoutes({
  database,
  onChange,
}: AdminParts): Pick<ServiceImpl<typeof CatalogueAdminService>, "stageImport" | "commitImport"> {
  return {
    stageImport: async ({ importId, rows }) => ({
      problems: await stageImport(database, importId, rows),
    }),

    async commitImport({ importId, ...options }) {
      const summary = await commitImport(database, importId, options);
      onChange();
      return { summary };
    },
  };
}
