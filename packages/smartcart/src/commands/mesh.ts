/** `smartcart mesh`. */
import type { AddCommand } from "../cli/command.ts";
import { jsonOption } from "../cli/command.ts";

export const addMesh: AddCommand = (program, cli) => {
  program
    .command("mesh")
    .summary("list the methods of the contract")
    .description(
      "Lists every method of the contract: who may call it, its time-out, attempts, batch and concurrency limit.",
    )
    .addOption(jsonOption())
    .action(async ({ json }: { json?: boolean }) => {
      const { meshMethods, meshTable } = await import("../reference/method-table.ts");
      if (json) cli.printJson(meshMethods());
      else cli.print(meshTable());
    });
};
