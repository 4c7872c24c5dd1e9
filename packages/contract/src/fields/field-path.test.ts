import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonName, parseJsonPath, toJsonPath } from "./field-path.ts";

test("names become lowerCamelCase", () => {
  expect(jsonName("product_id")).toBe("productId");
  expect(jsonName("line_2_text")).toBe("line2Text");
});

test("a path that was read is written as it was", () => {
  const name = fc.stringMatching(/^[a-z]{1,6}([A-Z][a-z]{1,4}){0,2}$/);
  const subscript = fc.oneof(
    fc.constant(""),
    fc.nat().map((i) => `[${i}]`),
    fc.string().map((key) => `[${JSON.stringify(key)}]`),
  );
  const element = fc.tuple(name, subscript).map(([n, s]) => n + s);
  const path = fc.array(element, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
  fc.assert(
    fc.property(path, (text) => {
      expect(toJsonPath(parseJsonPath(text).elements)).toBe(text);
    }),
  );
});

test("a path carries the names of the proto", () => {
  const names = parseJsonPath("items[0].productId").elements.map((element) => element.fieldName);
  expect(names).toEqual(["items", "product_id"]);
});
