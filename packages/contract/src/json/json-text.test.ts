import type { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import { InvalidMessageError, MalformedJsonError } from "./json-errors.ts";
import { parseExactJson } from "./json-text.ts";
import { readJson } from "./strict-json.ts";

const generated = { numRuns: 2000 };

/** The error for the text. */
function refusals(text: string, options = {}, schema = PlaceOrderRequestSchema as never) {
  try {
    parseExactJson(schema, text, options);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidMessageError);
    return (error as InvalidMessageError).violations.map(
      ({ field, message }) => `${field}: ${message}`,
    );
  }
  return [];
}

describe("a member that is repeated", () => {
  test.each<[string, string]>([
    ['{"userId":"a","userId":"b"}', "userId"],
    ['{"userId":"a","user\\u0049d":"b"}', "userId"],
    ['{"items":[{},{"quantity":1,"productId":"x","quantity":2}]}', "items[1].quantity"],
    ['{"x":{"y":[[{"z":1,"z":{"z":1}}]]}}', "x.y[0][0].z"],
    ['{"__proto__":1,"__proto__":1}', "__proto__"],
    ['{"a\\"b":1,"a\\"b":1}', '["a\\"b"]'],
  ])("%s is named", (text, field) => {
    expect(refusals(text)).toContain(`${field}: is repeated; send it once`);
  });

  test("is found at every depth, and nothing else is", () => {
    const names = fc.constantFrom<string>(
      "a",
      "b",
      "\u00e4",
      'q"',
      "\\",
      "__proto__",
      "{",
      "]",
      ",",
    );
    type Tree = [string, Tree][];
    const tree: (depth: number) => fc.Arbitrary<Tree> = fc.memo((depth) =>
      depth > 1
        ? fc.array(fc.tuple(names, tree(depth - 1)), { maxLength: 3 })
        : fc.constant<Tree>([]),
    );
    const write = (members: Tree): string =>
      `{ ${members.map(([name, inner]) => `${JSON.stringify(name)} : ${write(inner)}`).join(" , ")} }`;
    const isDouble = (members: Tree): boolean =>
      new Set(members.map(([name]) => name)).size < members.length ||
      members.some(([, inner]) => isDouble(inner));
    fc.assert(
      fc.property(tree(4), (members) => {
        const twice = refusals(write(members)).filter((text) => text.includes("is repeated"));
        expect(twice.length > 0).toBe(isDouble(members));
      }),
      generated,
    );
  });
});

describe("64-bit numbers", () => {
  const minorUnits = (literal: string) => {
    const { json } = parseExactJson(OrderSchema, `{"total":{"minorUnits":${literal}}}`);
    return readJson(OrderSchema, json) as ReturnType<typeof create<typeof OrderSchema>>;
  };

  test.each<[string, bigint]>([
    ["9007199254740993", 9007199254740993n],
    ["-9223372036854775808", -(2n ** 63n)],
    ["9223372036854775807", 2n ** 63n - 1n],
    ["9.007199254740993e15", 9007199254740993n],
    ["9123456789123456.70e2", 912345678912345670n],
    ["9007199254740993.0", 9007199254740993n],
    ["1e3", 1000n],
    ["10000e-1", 1000n],
    ["0.0000000000000000000000", 0n],
    ['"9007199254740993"', 9007199254740993n],
  ])("%s is read exactly", (literal, value) => {
    expect(minorUnits(literal).total?.minorUnits).toBe(value);
  });

  test("of every value are read exactly, with quotes and without", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.boolean(),
        (n, quote) => {
          expect(minorUnits(quote ? `"${n}"` : `${n}`).total?.minorUnits).toBe(n);
        },
      ),
      generated,
    );
  });

  test.each(['"0x10"', '"0b1"', '"+1"', '"1."', '"\\u0030x10"', "1.00000000000000000001", "1e-1"])(
    "%s is none",
    (literal) => {
      const text = `{"total":{"minorUnits":${literal}}}`;
      expect(refusals(text, {}, OrderSchema as never)).toEqual([
        "total.minorUnits: must be a whole number of at most 64 bits",
      ]);
    },
  );

  test.each(["9223372036854775808", "1e19", "1e400", `${"9".repeat(100_000)}`])(
    "%# is too large",
    (literal) => {
      expect(() => minorUnits(literal)).toThrow(InvalidMessageError);
    },
  );
});

describe("32-bit numbers", () => {
  const quantity = (literal: string) => `{"items":[{"quantity":${literal}}]}`;
  const range = "must be a whole number from -2147483648 to 2147483647";

  test("are plain, where that is asked for", () => {
    expect(refusals(quantity('"2"'), { plainNumbers: true })).toEqual([
      "items[0].quantity: must be a number, without quotes",
    ]);
    expect(refusals(quantity('"2"'))).toEqual([]);
    const others = '{"items":[{"quantity":"2"}],"foo":1}';
    expect(refusals(others, { plainNumbers: true })).toEqual([
      "items[0].quantity: must be a number, without quotes",
      "foo: is not a known field",
    ]);
  });

  test.each(['"0x10"', "1.5", "12345678901234567890", "1.00000000000000000001"])(
    "%s is none",
    (literal) => {
      expect(refusals(quantity(literal))).toEqual([`items[0].quantity: ${range}`]);
    },
  );

  test("may have an exponent, as proto3 JSON says", () => {
    const { json } = parseExactJson(PlaceOrderRequestSchema, quantity("1.2e1"));
    expect(readJson(PlaceOrderRequestSchema, json)).toMatchObject({ items: [{ quantity: 12 }] });
  });
});

describe("bounds", () => {
  test("depth", () => {
    const deep = `{"userId":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(refusals(deep)).toContain("userId: is nested too deeply");
  });

  test("members", () => {
    expect(refusals(`{"items":[${"0,".repeat(120_000)}0]}`)).toEqual([
      "items: has too many members",
    ]);
  });

  test("names of members in answers", () => {
    const text = JSON.stringify({ ["x".repeat(200_000)]: 1.5, ["y".repeat(10)]: 1 });
    const { json } = parseExactJson(PlaceOrderRequestSchema, text);
    expect(() => readJson(PlaceOrderRequestSchema, json)).toThrow(/^.{0,300}$/);
  });
});

test("text that begins like a number stays text", () => {
  const body = { userId: "0x10", address: "1 Main St.\n+49", paymentToken: "\\u0030" };
  const { json, text } = parseExactJson(PlaceOrderRequestSchema, JSON.stringify(body));
  expect(json).toEqual(body);
  expect(text).toBe(JSON.stringify(body));
});

test.each(["", "{", "[1", "\u0000", "{'a':1}"])("%j is not JSON", (text) => {
  expect(() => parseExactJson(PlaceOrderRequestSchema, text)).toThrow(MalformedJsonError);
});

test.each(["[]", "null", "7", '"x"'])("%s is no object", (text) => {
  expect(refusals(text)).toEqual([": must be an object"]);
});
