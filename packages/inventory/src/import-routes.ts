import type { ServiceImpl } from "@connectrpc/connect";
import type { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { AdminParts } from "./admin-routes.ts";
import { commitImport, stageImport } from "./catalogue-import.ts";

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
