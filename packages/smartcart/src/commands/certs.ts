/** `smartcart certs`. */
import type { AddCommand } from "../cli/command.ts";
import { wholeNumber } from "../cli/parsers.ts";

interface CertsFlags {
  readonly host?: readonly string[];
  readonly days?: number;
}

export const addCerts: AddCommand = (program, cli) => {
  program
    .command("certs")
    .summary("issue or renew certificates for TLS and between services")
    .description(
      "Writes an authority, a certificate for public ports and one for each service to a folder. An authority that is there already is kept, and all else is issued anew.",
    )
    .argument("<folder>", "where the files are written")
    .option("--host <name...>", "names and addresses of public ports (default: this machine)")
    .option(
      "--days <number>",
      "how long the certificates are good (default: 90)",
      wholeNumber(1, 3_650),
    )
    .action(async (folder: string, { host = [], days }: CertsFlags) => {
      const { runCerts } = await import("../credentials/certificates.ts");
      cli.print(await runCerts({ folder, hosts: host, days }));
    });
};
