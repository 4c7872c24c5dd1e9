/** `smartcart db`. */
import type { AddCommand } from "../cli/command.ts";
import { jsonOption } from "../cli/command.ts";

export const addDb: AddCommand = (program, cli) => {
  program
    .command("db")
    .summary("print the URL of the database")
    .description(
      'Prints the URL of the database of a running SmartCart, with its password: psql "$(npx smartcart db)".',
    )
    .addOption(jsonOption())
    .action(async ({ json }: { json?: boolean }) => {
      const { findDatabase } = await import("../attach.ts");
      const url = await findDatabase(cli.env);
      if (json) cli.printJson({ url });
      else cli.print(`${url}\n`);
    });
};
