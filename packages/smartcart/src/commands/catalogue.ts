/** `smartcart catalogue`. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { GoodsFormat, ImportProblem } from "@smartcart/inventory";
import { onOneLine } from "@smartcart/runtime";
import type { AddCommand, Cli } from "../cli/command.ts";
import { CommandError, jsonOption } from "../cli/command.ts";
import { wholeNumber } from "../cli/parsers.ts";

export const addCatalogue: AddCommand = (program, cli) => {
  const catalogue = program
    .command("catalogue")
    .summary("import, export, list, restock and price products")
    .description(
      "Handles the products of a running SmartCart, as an operator: with OPS_TOKEN where the services ask for it.",
    );
  addImport(catalogue, cli);
  addExport(catalogue, cli);
  addList(catalogue, cli);
  addRestock(catalogue, cli);
  addPrice(catalogue, cli);
};

const columnsHelp = `
Columns: product_id (required), name, description, category, emoji, picture_url, price ("14.50"), currency ("USD"), stock, archived.
CSV has them in its first line, in any order; JSON Lines as names. A column that is not in the file stays as it is. stock is what a
new product begins with; that of existing products is changed by "restock" only. An import again changes nothing.`;

interface ImportFlags {
  readonly dryRun?: boolean;
  readonly keepGoing?: boolean;
  readonly format?: GoodsFormat;
  readonly json?: boolean;
}

function addImport(catalogue: Command, cli: Cli): void {
  catalogue
    .command("import")
    .summary("add and change products from a file: all of it, or nothing")
    .argument("<file>", 'a file that ends in .csv or .jsonl; "-": standard input')
    .option("--dry-run", "check the file and print what it would change")
    .option("--keep-going", "import the good lines although others cannot be imported")
    .addOption(formatOption())
    .addOption(jsonOption())
    .addHelpText("after", columnsHelp)
    .action(
      async (file: string, { dryRun = false, keepGoing = false, format, json }: ImportFlags) => {
        const { importGoods } = await import("../catalogue/import-goods.ts");
        const { createProgress } = await import("../catalogue/progress.ts");
        const { onCatalogue } = await import("../catalogue/client.ts");
        const problems: ImportProblem[] = [];
        const progress = createProgress(process.stderr.isTTY === true && json !== true);
        const onProblem = (problem: ImportProblem) => {
          progress.clear();
          const { line, field, message } = problem;
          if (json) problems.push({ line, field, message });
          else cli.note(`${file}:${line}: ${field ? `${field}: ` : ""}${message}`);
        };
        const options = { file, dryRun, keepGoing, format: await formatOf(file, format) };
        const result = await onCatalogue(cli.env, (running) =>
          importGoods(running, { ...options, progress, onProblem }),
        ).finally(() => progress.clear());
        if (json) cli.printJson({ ...result, dryRun, problems });
        else if (!result.refused) cli.print(describeImport(file, dryRun, result));
        if (result.rejected > 0) throw new CommandError(describeRejected(result, dryRun));
      },
    );
}

interface Counts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly refused: boolean;
}

function describeImport(file: string, dryRun: boolean, counts: Counts): string {
  const [created, updated, unchanged] = [counts.created, counts.updated, counts.unchanged].map(
    (n) => n.toLocaleString("en"),
  );
  if (counts.created + counts.updated === 0) {
    return `${file}: nothing ${dryRun ? "would change" : "changed"}. ${unchanged} products are as the file says.\n`;
  }
  const would = dryRun ? "would be " : "";
  return `${file}: ${created} products ${would}created, ${updated} ${would}updated, ${unchanged} unchanged.\n`;
}

function describeRejected({ rejected, refused }: Counts, dryRun: boolean): string {
  const lines = rejected === 1 ? "1 line" : `${rejected.toLocaleString("en")} lines`;
  if (dryRun) return `${lines} cannot be imported.`;
  return refused
    ? `Nothing was imported: ${lines} cannot be. Correct them, or import the others with --keep-going.`
    : `${lines} could not be imported.`;
}

function formatOption(): Option {
  const option = new Option(
    "--format <format>",
    "format, if the name of the file does not tell it",
  );
  return option.choices(["csv", "jsonl"]);
}

async function formatOf(file: string, format: GoodsFormat | undefined): Promise<GoodsFormat> {
  const { goodsFormatOf } = await import("@smartcart/inventory");
  const known = format ?? goodsFormatOf(file);
  if (known !== undefined) return known;
  throw new CommandError(`${file} ends in neither .csv nor .jsonl. Give its format with --format.`);
}

function addExport(catalogue: Command, cli: Cli): void {
  catalogue
    .command("export")
    .summary("write all products to a file that import reads")
    .argument("[file]", "a file that ends in .csv or .jsonl; default: standard output, as CSV")
    .addOption(formatOption())
    .action(async (file: string | undefined, { format }: { format?: GoodsFormat }) => {
      const { goodsHeader, goodsLines, readPages } = await import("../catalogue/export-goods.ts");
      const { onCatalogue } = await import("../catalogue/client.ts");
      const known = file === undefined ? (format ?? "csv") : await formatOf(file, format);
      const output = file === undefined ? printing(cli) : await openFile(file);
      await onCatalogue(cli.env, async (running) => {
        const all = { query: "", category: "", archived: "all", limit: undefined } as const;
        await output.write(goodsHeader(known));
        let count = 0;
        for await (const products of readPages(running, all)) {
          if (!(await output.write(goodsLines(products, known)))) return;
          count += products.length;
        }
        await output.end();
        cli.note(`${count.toLocaleString("en")} products exported.`);
      });
    });
}

/** Where an export goes. `write` returns whether more is wanted. */
interface Output {
  write(text: string): Promise<boolean> | boolean;
  end(): Promise<void>;
}

function printing(cli: Cli): Output {
  return { write: (text) => cli.print(text), end: async () => {} };
}

async function openFile(file: string): Promise<Output> {
  const stream = createWriteStream(file);
  await once(stream, "open").catch((error: Error) => {
    throw fileError(file, error);
  });
  // Also reported by the write that fails, or by the end.
  stream.on("error", () => {});
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(fileError(file, error)) : resolve(true)));
      }),
    async end() {
      stream.end();
      await finished(stream).catch((error: Error) => {
        throw fileError(file, error);
      });
    },
  };
}

function fileError(file: string, error: Error): CommandError {
  return new CommandError(`${file} could not be written: ${error.message}`, { cause: error });
}

interface ListFlags {
  readonly category: string;
  readonly archived?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

function addList(catalogue: Command, cli: Cli): void {
  catalogue
    .command("list")
    .summary("list or search products")
    .argument("[query...]", "words to search for")
    .option("--category <category>", "only products of this category", "")
    .option("--archived", "only archived products")
    .option("--limit <number>", "maximum number", wholeNumber(1, 1_000_000), 50)
    .addOption(jsonOption())
    .action(async (words: string[], { category, archived, limit, json }: ListFlags) => {
      const { readPages, toGoods } = await import("../catalogue/export-goods.ts");
      const { onCatalogue } = await import("../catalogue/client.ts");
      const filter = { category, archived: archived ? "yes" : "no", limit } as const;
      await onCatalogue(cli.env, async (running) => {
        for await (const page of readPages(running, { ...filter, query: words.join(" ") })) {
          for (const product of page) {
            const goods = toGoods(product);
            const { product_id, currency, price, stock, name } = goods;
            const cells = [product_id, `${currency} ${price}`, `${stock} available`, name];
            const line = `${cells.map((cell = "") => onOneLine(cell)).join("\t")}\n`;
            if (!(json ? cli.printJson(goods) : cli.print(line))) return;
          }
        }
      });
    });
}

interface RestockFlags {
  readonly reason?: "received" | "returned" | "written-off" | "corrected";
  readonly note: string;
  readonly id?: string;
  readonly json?: boolean;
}

function addRestock(catalogue: Command, cli: Cli): void {
  const reason = new Option(
    "--reason <reason>",
    "why; default: received, or written-off if negative",
  );
  catalogue
    .command("restock")
    .summary("add units to the stock of a product, or take them away")
    .argument("<product>", "its id")
    .argument("<units>", "units that come, or go if negative", signedNumber)
    .addOption(reason.choices(["received", "returned", "written-off", "corrected"]))
    .option("--note <text>", "remark for the ledger", "")
    .option("--id <id>", "id of the adjustment: a repetition with it counts once")
    .addOption(jsonOption())
    .action(async (productId: string, units: number, flags: RestockFlags) => {
      const { restock } = await import("../catalogue/edit-goods.ts");
      const { onCatalogue } = await import("../catalogue/client.ts");
      const { note, id, reason = units < 0 ? "written-off" : "received" } = flags;
      const { availableAfter = 0, adjustmentId } = await onCatalogue(cli.env, (running) =>
        restock(running, { productId, units, reason, note, id }),
      );
      if (flags.json) cli.printJson({ productId, units, reason, adjustmentId, availableAfter });
      else cli.print(`${productId}: ${availableAfter.toLocaleString("en")} available.\n`);
    });
}

function signedNumber(text: string): number {
  const value = Number(text);
  if (/^[+-]?\d{1,7}$/.test(text) && value !== 0 && Math.abs(value) <= 1_000_000) return value;
  throw new InvalidArgumentError("It must be a whole number from -1000000 to 1000000, but not 0.");
}

function addPrice(catalogue: Command, cli: Cli): void {
  catalogue
    .command("price")
    .summary("set the price of a product")
    .argument("<product>", "its id")
    .argument("<amount>", 'the price per unit, such as "14.50"')
    .argument("[currency]", "its currency; default: that of the product")
    .addOption(jsonOption())
    .action(
      async (
        product: string,
        amount: string,
        currency: string | undefined,
        { json }: { json?: boolean },
      ) => {
        const { setPrice } = await import("../catalogue/edit-goods.ts");
        const { onCatalogue } = await import("../catalogue/client.ts");
        const change = await onCatalogue(cli.env, (running) =>
          setPrice(running, product, amount, currency),
        );
        if (json) cli.printJson({ productId: product, ...change });
        else cli.print(`${product}: ${change.before} → ${change.after}, for orders from now on.\n`);
      },
    );
}
