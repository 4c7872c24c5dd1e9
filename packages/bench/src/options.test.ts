import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";

test("every combination is a scenario", () => {
  const options = parseOptions(["--products", "100,2", "--connections", "1,128"]);
  expect(options).toMatchObject({
    rounds: 5,
    scenarios: [
      { products: 100, lines: 2, connections: 1 },
      { products: 100, lines: 2, connections: 128 },
      { products: 2, lines: 2, connections: 1 },
      { products: 2, lines: 2, connections: 128 },
    ],
  });
});

test.each([
  ["--rounds", "0"],
  ["--connections", "1,x"],
  ["--contenders", "seed,other"],
  ["--other", "1"],
])("%s %s is rejected with the usage", (...args) => {
  expect(parseOptions(args)).toContain("npm run bench");
});
