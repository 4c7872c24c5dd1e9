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
      const { findDatabase } = await import("../attach/attach.ts");
      const url = withoutDefaults(await findDatabase(cli.env));
      cli.printSecret(json ? `${JSON.stringify({ url })}\n` : `${url}\n`);
    });
};

/** Tools before PostgreSQL 17 refuse a URL with this parameter, also with its default. */
function withoutDefaults(text: string): string {
  const url = new URL(text);
  if (url.searchParams.get("sslnegotiation") === "postgres")
    url.searchParams.delete("sslnegotiation");
  return url.href;
}
