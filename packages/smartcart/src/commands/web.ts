/** `smartcart web`. */
import type { AddCommand } from "../cli/command.ts";

export const addWeb: AddCommand = (program) => {
  program
    .command("web")
    .summary("start only the page and its proxy")
    .description(
      "Serves the page and forwards its calls to services that run elsewhere: ORDER_URL, INVENTORY_URL, STATUS_URL, LOG_URL, OPS_URL.",
    )
    .action(async () => {
      const { runWeb } = await import("../web/run-web.ts");
      await runWeb();
    });
};
