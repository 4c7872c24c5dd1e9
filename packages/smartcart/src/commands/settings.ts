/** `smartcart settings`. */
import type { AddCommand } from "../cli/command.ts";
import { jsonOption } from "../cli/command.ts";

export const addSettings: AddCommand = (program, cli) => {
  program
    .command("settings")
    .summary("list the environment variables")
    .description("Lists the environment variables of all services with their defaults.")
    .addOption(jsonOption())
    .action(async ({ json }: { json?: boolean }) => {
      const { settings, settingsTable } = await import("../reference/settings-table.ts");
      if (json) cli.printJson(settings());
      else cli.print(settingsTable());
    });
};
