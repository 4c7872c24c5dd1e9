import { expect, test } from "vitest";
import { bounds, measure } from "./measure.ts";

const file = "packages/shop/src/shop.ts";
const functionOf = (lines: number) => `function long() {\n${"  step();\n".repeat(lines - 2)}}\n`;
const fileOf = (lines: number) => "step();\n".repeat(lines);

test("a function at its bound is fine, one line more is not, wherever it stands", () => {
  const { functionLines: bound } = bounds;
  expect(measure(file, functionOf(bound))).toEqual([]);
  const method = `const shop = {\n  async open() {\n${"    step();\n".repeat(bound - 1)}  },\n};\n`;
  expect(measure(file, method)).toEqual([{ name: `${file} open`, line: 2, lines: 61, bound }]);
  const arrow = `run(() => {\n${"  step();\n".repeat(bound - 1)}});\n`;
  expect(measure(file, arrow)).toEqual([{ name: `${file} anonymous`, line: 1, lines: 61, bound }]);
});

test("a function is named by what it is assigned to", () => {
  const long = `const open = () => {\n${"  step();\n".repeat(bounds.functionLines)}};\n`;
  expect(measure(file, long)).toMatchObject([{ name: `${file} open` }]);
});

test("a file at its bound is fine, one line more is not", () => {
  expect(measure(file, fileOf(bounds.fileLines))).toEqual([]);
  expect(measure(file, fileOf(bounds.fileLines + 1))).toEqual([
    { name: file, line: 1, lines: 301, bound: 300 },
  ]);
});

test("tests have longer files, and functions without a bound", () => {
  for (const name of ["packages/shop/test/rig.ts", "packages/shop/src/shop.test.ts"]) {
    expect(measure(name, functionOf(bounds.testFileLines))).toEqual([]);
    expect(measure(name, fileOf(bounds.testFileLines + 1))).toHaveLength(1);
  }
});
