/** `smartcart doctor`. */
import type { AddCommand } from "../cli/command.ts";
import { CommandError, jsonOption } from "../cli/command.ts";
import { onRunning } from "../cli/on-running.ts";
import { wholeNumber } from "../cli/parsers.ts";

interface DoctorFlags {
  readonly reconcile?: boolean;
  /** Seconds. */
  readonly wait: number;
  readonly json?: boolean;
}

export const addDoctor: AddCommand = (program, cli) => {
  program
    .command("doctor")
    .summary("check a running SmartCart")
    .description(
      "Checks a running SmartCart: the database, the queue, every service, and every invariant on the stored data. Exits with 1 if a check fails.",
    )
    .option("--reconcile", "repair the violations that can be repaired automatically")
    .option(
      "--wait <seconds>",
      "time that a violation must last until it counts",
      wholeNumber(1, 3_600),
      20,
    )
    .addOption(jsonOption())
    .action(({ reconcile = false, wait, json }: DoctorFlags) =>
      onRunning(cli, async (running) => {
        const { describeDiagnosis, runDoctor } = await import("../doctor/doctor.ts");
        const diagnosis = await runDoctor(running, { reconcile, patienceMs: wait * 1_000 });
        if (json) cli.printJson(diagnosis);
        else cli.print(describeDiagnosis(diagnosis));
        const failed = diagnosis.checks.filter(({ ok }) => !ok);
        if (failed.length > 0)
          throw new CommandError(`Failed: ${failed.map(({ name }) => name).join(", ")}.`);
      }),
    );
};
