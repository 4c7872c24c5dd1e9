/** `smartcart user`. */
import type { Command } from "commander";
import type { AddCommand, Cli } from "../cli/command.ts";
import { jsonOption } from "../cli/command.ts";
import { onRunning } from "../cli/on-running.ts";
import { wholeNumber } from "../cli/parsers.ts";

export const addUser: AddCommand = (program, cli) => {
  const user = program
    .command("user")
    .summary("export or erase what is held of a customer")
    .description(
      "Answers the requests of customers about their data (GDPR, articles 15 and 17). If operators have to prove who they are, set OPS_TOKEN.",
    );
  addExport(user, cli);
  addErase(user, cli);
};

function addExport(user: Command, cli: Cli): void {
  user
    .command("export")
    .summary("print what is held of a customer")
    .description(
      "Prints orders with address, history, payment, shipment, log records and dead letters of a customer. The output is personal data.",
    )
    .argument("<user>", "the userId of the customer")
    .option("--json", "print each order as one line of JSON, for programs")
    .action((userId: string, { json }: { json?: boolean }) =>
      onRunning(cli, async (running) => {
        const { exportOf } = await import("../privacy/export-user.ts");
        let orders = 0;
        for await (const record of exportOf(running, userId)) {
          orders += 1;
          const wanted = json
            ? cli.printJson(record)
            : cli.print(`${JSON.stringify(record, undefined, 2)}\n`);
          if (!wanted) return;
        }
        if (!json) cli.note(`${orders} orders.`);
      }),
    );
}

function addErase(user: Command, cli: Cli): void {
  user
    .command("erase")
    .summary("erase a customer")
    .description(
      "Clears the user id, address and payment token of a customer's orders and payments, and deletes idempotency keys and dead letters about them. Amounts, lines and histories stay. Fails if an order is on its way. If it is interrupted, run it again.",
    )
    .argument("<user>", "the userId of the customer")
    .option(
      "--wait <seconds>",
      "time to wait for orders that are on their way; default: none",
      wholeNumber(1, 86_400),
    )
    .addOption(jsonOption())
    .action((userId: string, { wait = 0, json }: { wait?: number; json?: boolean }) =>
      onRunning(cli, async (running) => {
        const { eraseUser } = await import("../privacy/erase-user.ts");
        const erased = await eraseUser(running, userId, wait * 1_000);
        if (json) cli.printJson(erased);
        else
          cli.print(
            `Erased: ${erased.orders} orders, ${erased.payments} payments, ${erased.deadLetters + erased.archivedDeadLetters} dead letters.\n`,
          );
        if (erased.unreadableDeadLetters > 0)
          cli.note(
            `${erased.unreadableDeadLetters} dead letters cannot be decoded and may hold personal data of anyone: "smartcart dlq list" lists them.`,
          );
      }),
    );
}
