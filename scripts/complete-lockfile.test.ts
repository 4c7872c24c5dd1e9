import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  completeIntegrity,
  completePackages,
  platformOf,
  withoutIntegrity,
} from "./complete-lockfile.ts";

test.each([
  ["@turbo/windows-64", { cpu: ["x64"], libc: {}, os: ["win32"] }],
  ["@bufbuild/buf-linux-armv7", { cpu: ["arm"], libc: {}, os: ["linux"] }],
  ["@biomejs/cli-linux-x64-musl", { cpu: ["x64"], libc: { libc: ["musl"] }, os: ["linux"] }],
  [
    "@oxc-parser/binding-linux-arm-gnueabihf",
    { cpu: ["arm"], libc: { libc: ["glibc"] }, os: ["linux"] },
  ],
  ["fsevents", undefined],
])("the name %s says where it runs", (name, platform) => {
  expect(platformOf(name)).toEqual(platform);
});

test("adds what is missing and leaves what is there", () => {
  const parent = {
    dev: true,
    optionalDependencies: { "@a/tool-darwin-arm64": "1.2.3", "@a/tool-linux-x64": "1.2.3" },
  };
  const linux = { version: "1.2.3", optional: true };
  const given = { "node_modules/@a/tool-linux-x64": linux, "node_modules/tool": parent };
  expect(completePackages(given)).toEqual({
    "node_modules/@a/tool-darwin-arm64": {
      version: "1.2.3",
      cpu: ["arm64"],
      dev: true,
      optional: true,
      os: ["darwin"],
    },
    "node_modules/@a/tool-linux-x64": linux,
    "node_modules/tool": parent,
  });
});

test("the lock file of this repository is complete: npm ci works on every platform", () => {
  const file = readFileSync(join(import.meta.dirname, "../package-lock.json"), "utf8");
  const { packages } = JSON.parse(file);
  expect(Object.keys(completePackages(packages))).toEqual(Object.keys(packages));
});

test("every archive that npm ci fetches is held against the lock file", () => {
  const file = readFileSync(join(import.meta.dirname, "../package-lock.json"), "utf8");
  expect(withoutIntegrity(JSON.parse(file).packages)).toEqual([]);
});

test("asks for the integrity of what has none, by its name", async () => {
  const packages = {
    "packages/order": { version: "0.1.0" },
    "node_modules/@smartcart/order": { link: true },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/a/node_modules/@b/c": { version: "2.0.0", dev: true },
  };
  const complete = await completeIntegrity(packages, async (name, version) => `${name}@${version}`);
  expect(complete).toEqual({
    ...packages,
    "node_modules/a/node_modules/@b/c": { version: "2.0.0", integrity: "@b/c@2.0.0", dev: true },
  });
});
