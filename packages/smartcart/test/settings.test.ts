import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ConfigError } from "@smartcart/runtime";
import { propertyOptions } from "@smartcart/testkit";
import { allConfig, parseSmartCartConfig } from "../src/config.ts";
import { settingsTable } from "../src/reference/settings-table.ts";

it("docs/operations.md holds the table of all settings; print it with `smartcart settings`", async () => {
  const page = await readFile(new URL("../../../docs/operations.md", import.meta.url), "utf8");
  expect(page).toContain(settingsTable());
  expect(settingsTable()).not.toContain("|  |");
});

it("are each read from any text, or refused in a line that names the variable and quotes no secret", () => {
  const pieces = fc.constantFrom(
    ...[
      "",
      " ",
      "-1",
      "0",
      "1e9",
      "0x10",
      "NaN",
      "Infinity",
      "9".repeat(400),
      "٣",
      "true",
      "%",
      "%ff",
    ],
    ...["://", "http://", "https://a:sec@ret@b", "postgres://", "amqp://", "amqp://a:secret@b/%zz"],
    ...[
      "\0",
      "\n",
      "\u{1b}[31m",
      "\u{202e}",
      "\ud800",
      "[",
      "]",
      ":::",
      "::1",
      "/64",
      "10.0.0.0/33",
    ],
    ...[",", ";", "=", "@", "#", "?", "..", "{service}", "__proto__", "constructor", "a.example"],
  );
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 6 }).map((some) => some.join("")),
    fc.string({ unit: "binary", maxLength: 60 }),
  );
  const settings = fc.constantFrom(...Object.keys(allConfig));
  const read = fc.property(fc.dictionary(settings, texts, { minKeys: 1, maxKeys: 8 }), (env) => {
    try {
      parseSmartCartConfig(env);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      const { problems } = error as ConfigError;
      expect(problems.length).toBeGreaterThan(0);
      for (const { variable, problem } of problems) {
        expect(Object.keys(env)).toContain(variable);
        expect(problem).toMatch(/^[\w("][^\n]*$/);
        expect(problem).not.toMatch(/\bat .*:\d+:\d+|TypeError|undefined/);
      }
    }
  });
  fc.assert(read, propertyOptions({ numRuns: 600 }));
});
