/** Every command with every kind of wrong argument, from the commands themselves. */
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram, everyCommand, pathOf } from "../src/cli/program.ts";
import { cli } from "./run-cli.ts";

const program = createProgram({
  env: {},
  print: () => true,
  printSecret: () => true,
  printJson: () => true,
  note: () => {},
});
const all = everyCommand(program).slice(1);
/** Those that run something, rather than group others. */
const runnable = all.filter(({ commands }) => commands.length === 0);
const argsOf = (command: Command) => pathOf(command).split(" ").slice(1);

/** Values that no option with a parser accepts. */
const badValues = [
  "",
  " ",
  "abc",
  "-1",
  "0",
  "1.5",
  "1e3",
  "0x10",
  "99999999999999999999",
  "NaN",
  "١",
];

/** Valid values for required arguments, so that only one thing is wrong at a time. */
function givenArguments(command: Command): string[] {
  const { registeredArguments } = command;
  return registeredArguments
    .filter(({ required }) => required)
    .map((argument) => (argument.name() === "queue" ? "orders" : "x"));
}

const cases: ReadonlyArray<readonly string[]> = [
  [],
  ["upp"],
  [""],
  ["--unknown"],
  ["help", "upp"],
  ...all.flatMap((command) => [
    [...argsOf(command), "--unknown"],
    [...argsOf(command), "-x"],
  ]),
  ...all
    .filter(({ commands }) => commands.length > 0)
    .flatMap((command) => [argsOf(command), [...argsOf(command), "nonsense"]]),
  ...runnable.flatMap((command) => {
    const path = argsOf(command);
    const args = givenArguments(command);
    const { registeredArguments, options } = command;
    const isVariadic = registeredArguments.some(({ variadic }) => variadic);
    return [
      ...args.map((_, index) => [...path, ...args.slice(0, index)]),
      ...(isVariadic
        ? []
        : [[...path, ...registeredArguments.map(() => args[0] ?? "x"), "surplus"]]),
      ...options.flatMap(({ long = "", required, parseArg }) => [
        ...(required ? [[...path, ...args, long]] : [[...path, ...args, `${long}=yes`]]),
        ...(required && parseArg ? badValues.map((value) => [...path, ...args, long, value]) : []),
      ]),
    ];
  }),
];

describe("wrong usage", () => {
  it.each(
    cases.map(
      (args) => [["smartcart", ...args].map((arg) => JSON.stringify(arg)).join(" "), args] as const,
    ),
  )("%s is refused in words with exit code 2", async (_, args) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toMatch(/^error|\bundefined\b|\bNaN\b(?!")|\n\s+at /);
    expect(stderr).toMatch(/(Run "smartcart.* --help" for its usage\.\n|^Usage: smartcart)/);
  });

  it("suggests the command or option that was meant", async () => {
    expect((await cli(["upp"])).stderr).toMatch(/^Unknown command "upp"\. Did you mean "up"\?\n/);
    expect((await cli(["doctor", "--reconcil"])).stderr).toMatch(/Did you mean "--reconcile"\?/);
    expect((await cli(["dlq", "redrve"])).stderr).toMatch(/Did you mean "redrive"\?/);
  });

  it("names the option, its value and what would be right", async () => {
    const { stderr } = await cli(["doctor", "--wait", "soon"]);
    expect(stderr).toBe(
      'Option "--wait <seconds>" argument "soon" is invalid. It must be a whole number from 1 to 3600.\nRun "smartcart doctor --help" for its usage.\n',
    );
  });
});

describe("help", () => {
  it.each(all.map((command) => [pathOf(command), argsOf(command)] as const))(
    "%s --help and help %s say the same, on standard output",
    async (path, args) => {
      const byOption = await cli([...args, "--help"]);
      const byCommand = await cli([...args.slice(0, -1), "help", ...args.slice(-1)]);
      expect(byOption).toMatchObject({ code: 0, stderr: "" });
      expect(byOption.stdout).toContain(`Usage: ${path} `);
      expect(byCommand).toEqual(byOption);
    },
  );

  it("lists every command with a summary", async () => {
    const { code, stdout } = await cli(["--help"]);
    expect(code).toBe(0);
    for (const { summary, name } of program.commands.map((c) => ({
      summary: c.summary(),
      name: c.name(),
    }))) {
      expect(summary, name).not.toBe("");
      expect(stdout).toMatch(new RegExp(`^ +${name}\\b`, "m"));
    }
  });

  it("prints the version", async () => {
    const { code, stdout } = await cli(["--version"]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

describe("--json", () => {
  it.each([["settings"], ["mesh"]])("%s is one document", async (command) => {
    const { code, stdout, stderr } = await cli([command, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout).length).toBeGreaterThan(20);
    expect(stdout.trimEnd()).not.toContain("\n");
  });
});

describe("a command that fails", () => {
  it("says so in a sentence, exits with 1 and writes no result", async () => {
    const state = { SMARTCART_STATE: "/nonexistent" };
    const { code, stdout, stderr } = await cli(["doctor", "--json"], state);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^No SmartCart runs in \/nonexistent.*\n$/);
  });

  it("names every invalid variable", async () => {
    const { code, stderr } = await cli(["doctor"], { ORDER_PORT: "x", DATABASE_URL: "y" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^(ORDER_PORT|DATABASE_URL): .*\n(ORDER_PORT|DATABASE_URL): .*\n$/);
  });
});
