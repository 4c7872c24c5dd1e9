import { expect, it } from "vitest";
import { UsageError } from "@smartcart/testkit";
import { parseCommandLine } from "./options.ts";

const parse = (text: string) => parseCommandLine(text.split(" ").filter(Boolean), 5);

it("runs faults where nothing else is asked for", () => {
  expect(parse("")).toMatchObject({ scenario: "faults", seed: 5, orders: 10_000, rate: 40 });
  expect(parse("--orders 600 --minutes 2 --seed 1")).toMatchObject({ seed: 1, rate: 5 });
});

it("knows the scenarios, with numbers of their own", () => {
  expect(parse("--rolling-restart")).toMatchObject({ scenario: "rolling-restart", rate: 200 });
  expect(parse("--rolling-restart --rate 50")).toMatchObject({ rate: 50 });
  expect(parse("--flash-sale")).toMatchObject({
    scenario: "flash-sale",
    buyers: 5_000,
    units: 500,
  });
  expect(parse("--flash-sale --buyers 30 --units 3")).toMatchObject({ buyers: 30, units: 3 });
});

it.each(["--flash-sale --mutants", "--rate 0", "--orders 0", "--faults quake", "--loud"])(
  "rejects %s",
  (text) => {
    expect(() => parse(text)).toThrow(UsageError);
  },
);
