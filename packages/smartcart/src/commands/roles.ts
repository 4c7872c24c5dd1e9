/** `smartcart roles`. */
import type { AddCommand } from "../cli/command.ts";
import { CommandError } from "../cli/command.ts";

export const addRoles: AddCommand = (program, cli) => {
  program
    .command("roles")
    .summary("make a database role and a RabbitMQ user for each service")
    .description(
      "Makes or updates a database role and, with AMQP_URL, a RabbitMQ user for each service, which may do what the service does and nothing else. DATABASE_URL and AMQP_URL are those of administrators, RABBITMQ_MANAGEMENT_URL is the management API (http://user:password@host:15672). ORDER_PASSWORD, INVENTORY_PASSWORD and so on set the passwords; others are made and printed.",
    )
    .option("--prefix <name>", "how the names begin", "smartcart")
    .action(async ({ prefix }: { readonly prefix: string }) => {
      const { DATABASE_URL: databaseUrl, AMQP_URL: amqpUrl } = cli.env;
      const { RABBITMQ_MANAGEMENT_URL: managementUrl } = cli.env;
      if (!databaseUrl) throw new CommandError("DATABASE_URL is not set: the database's owner");
      if (amqpUrl && !managementUrl)
        throw new CommandError("RABBITMQ_MANAGEMENT_URL is not set, but AMQP_URL is.");
      const { createRoles } = await import("../credentials/service-roles.ts");
      const { createLogger } = await import("@smartcart/runtime");
      const { serviceNames } = await import("@smartcart/contract");
      const passwords = Object.fromEntries(
        [...serviceNames].map((name) => [name, cli.env[variableOf(name)] || undefined]),
      );
      const broker = amqpUrl && managementUrl ? { amqpUrl, managementUrl } : undefined;
      const log = createLogger({ service: "smartcart", level: "error" });
      const urls = await createRoles({ databaseUrl, broker, passwords, prefix, log });
      for (const [service, ofService] of Object.entries(urls)) {
        // A password that was chosen by the operator is not printed.
        const shown = (url: string) =>
          passwords[service] === undefined ? url : url.replace(/:[^:@/]+@/, ":***@");
        const lines = Object.entries(ofService).map(([name, url]) => `${name}=${shown(url)}`);
        cli.print(`${service}: ${lines.join(" ")}\n`);
      }
    });
};

/** "STATUS_HUB_PASSWORD" */
function variableOf(service: string): string {
  return `${service.replaceAll("-", "_").toUpperCase()}_PASSWORD`;
}
