/** Every part of every request of the contract has a bound, so that none can be asked to look at more than it may. */
import { readdirSync } from "node:fs";
import type { DescField, DescFile, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { beforeAll, expect, test } from "vitest";
import { ClientFrameSchema } from "@smartcart/gen/status/v1/frames_pb";
import { rulesOf } from "../fields/field-rules.ts";
import { maxValues } from "../json/json-scan.ts";

const contract = new URL("../../../../gen/src/smartcart/", import.meta.url);
const requests = new Set<DescMessage>([ClientFrameSchema]);

beforeAll(async () => {
  const names = readdirSync(contract, { recursive: true, encoding: "utf8" });
  for (const name of names.filter((each) => each.endsWith("_pb.ts"))) {
    const generated: Record<string, unknown> = await import(new URL(name, contract).href);
    const file = Object.values(generated).find(
      (value) => (value as DescFile | undefined)?.kind === "file",
    ) as DescFile;
    for (const type of nestedTypes(file)) {
      for (const { input } of type.kind === "service" ? type.methods : []) {
        requests.add(input);
      }
    }
  }
});

/** What of a message has no bound, by its path. */
function unbounded(message: DescMessage, path: string): string[] {
  if (message.typeName === "google.protobuf.Timestamp") {
    return [];
  }
  return message.fields.flatMap((field) => unboundedField(field, `${path}.${field.name}`));
}

function unboundedField(field: DescField, path: string): string[] {
  const rules = rulesOf(field);
  const type = rules?.type;
  if (field.fieldKind === "list") {
    const repeated = type?.case === "repeated" ? type.value : undefined;
    const missing = repeated?.maxItems ? [] : [`${path}: no max_items`];
    return [...missing, ...unboundedValue(field, repeated?.items, `${path}[]`)];
  }
  if (field.fieldKind === "map") {
    const map = type?.case === "map" ? type.value : undefined;
    const missing = map?.maxPairs ? [] : [`${path}: no max_pairs`];
    const keys = field.mapKey === ScalarType.STRING ? textBound(map?.keys, `${path} key`) : [];
    return [...missing, ...keys, ...unboundedValue(field, map?.values, `${path}[]`)];
  }
  return unboundedValue(field, rules, path);
}

function unboundedValue(field: DescField, rules: FieldRules | undefined, path: string): string[] {
  if (field.message !== undefined) {
    return unbounded(field.message, path);
  }
  const isText = field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES;
  return isText ? textBound(rules, path) : [];
}

function textBound(rules: FieldRules | undefined, path: string): string[] {
  const type = rules?.type;
  const isBounded =
    (type?.case === "string" &&
      (type.value.maxLen > 0n ||
        type.value.len > 0n ||
        type.value.maxBytes > 0n ||
        type.value.in.length > 0 ||
        /^\^[^*+]*\$$/.test(type.value.pattern))) ||
    (type?.case === "bytes" && (type.value.maxLen > 0n || type.value.len > 0n));
  return isBounded ? [] : [`${path}: no max_len`];
}

/** Members and items of the longest message. */
function largest(message: DescMessage): number {
  return message.fields.reduce((sum, field) => {
    const rules = rulesOf(field);
    const inner = field.message === undefined ? 0 : largest(field.message);
    const items = rules?.type.case === "repeated" ? Number(rules.type.value.maxItems) : undefined;
    return sum + (items === undefined ? inner : items * (1 + inner));
  }, message.fields.length);
}

test("the requests of all services are looked at", () => {
  expect(requests.size).toBeGreaterThan(25);
});

test("every list has max_items, every text max_len, every map max_pairs", () => {
  const found = [...requests].flatMap((request) => unbounded(request, request.typeName));
  expect(found).toEqual([]);
});

test("the longest request that the rules allow is within what JSON is parsed for", () => {
  for (const request of requests) {
    expect(largest(request), request.typeName).toBeLessThan(maxValues);
  }
});
