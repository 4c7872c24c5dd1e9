/** `smartcart up`, which is `npm start`. */
import type { AddCommand } from "../cli/command.ts";
import type { UpOptions } from "../up/up.ts";

export const addUp: AddCommand = (program) => {
  program
    .command("up")
    .summary("start all services in one process")
    .description(
      "Starts all services and the page in one process, with an embedded database and queue unless DATABASE_URL and AMQP_URL name others. This is what npm start runs. Ctrl-C stops it after completing work in progress; a second Ctrl-C ends it at once.",
    )
    .option(
      "--rabbitmq",
      "use RabbitMQ: the one on port 5672, else an installed one, else one in Docker",
    )
    .option("--fresh", "start with an empty state folder")
    .option("--json", "write log records as JSON also on a terminal, and no table of URLs")
    .action(async (options: Partial<UpOptions>) => {
      const { runUp } = await import("../up/up.ts");
      await runUp({ rabbitmq: false, fresh: false, json: false, ...options });
    });
};
