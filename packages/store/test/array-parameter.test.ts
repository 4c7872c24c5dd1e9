import fc from "fast-check";
import { expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { propertyOptions } from "@smartcart/testkit";
import { toParameter } from "../src/array-parameter.ts";
import { createDatabase } from "../src/database.ts";
import { createTestDatabase } from "../src/testing/index.ts";

const texts = fc.array(
  fc.option(
    fc.oneof(
      fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
      fc.constantFrom("", "null", "NULL", "{}", ",", '"', "\\", '\\"', " a ", "a\nb", "é😀"),
    ),
  ),
);
const times = fc.array(
  fc.option(
    fc.oneof(
      fc.date({ min: new Date(0), max: new Date(Date.UTC(9999, 11, 31)), noInvalidDate: true }),
      // The driver writes these.
      fc.constantFrom(new Date(Date.UTC(-44, 2, 15)), new Date(Date.UTC(12_345, 0, 1))),
    ),
  ),
);
const bytes = fc.array(fc.option(fc.uint8Array()));
const numbers = fc.array(fc.option(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)));
const flags = fc.array(fc.boolean());

it("says to PostgreSQL what the array holds", async () => {
  await using test = await createTestDatabase();
  await using database = createDatabase({ url: test.url, schema: "public", log: silentLogger });
  await fc.assert(
    fc.asyncProperty(fc.tuple(texts, times, bytes, numbers, flags), async (values) => {
      const { rows } = await database.query({
        name: "echo",
        text: `select $1::text[] as texts, $2::timestamptz[] as times, $3::bytea[] as bytes,
                      $4::bigint[] as numbers, $5::boolean[] as flags`,
        values,
      });
      const [sentTexts, sentTimes, sentBytes, sentNumbers, sentFlags] = values;
      expect(rows[0]).toEqual({
        texts: sentTexts,
        times: sentTimes,
        bytes: sentBytes.map((one) => one && Buffer.from(one)),
        numbers: sentNumbers.map((one) => one?.toString() ?? null),
        flags: sentFlags,
      });
    }),
    propertyOptions({ numRuns: 300 }),
  );
});

it.each([[[{ a: 1 }]], [[[1], [2]]], [[new Date(Number.NaN)]]])(
  "leaves to the driver what it does not know: %j",
  (items) => {
    expect(toParameter(items)).toBe(items);
  },
);

it("does not touch what is no array", () => {
  const value = Buffer.from("a");
  expect(toParameter(value)).toBe(value);
  expect(toParameter("a")).toBe("a");
});
