import type { DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import { create, createFileRegistry, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { AnySchema, anyPack, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import { eventTypes } from "../events/event-types.ts";
import { readEvent } from "../events/read-event.ts";
import { readJson } from "../json/strict-json.ts";
import { validateMessage } from "../validation/validate.ts";
import { redact } from "./redact.ts";
import { redactError, textRedactor } from "./redact-text.ts";
import { redactionFaults } from "./redaction-rules.ts";

const redacted = { debugRedact: true };
const person = ".test.Person";

function field(name: string, number: number, type: string, more: Record<string, JsonValue> = {}) {
  const jsonName = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return { name, jsonName, number, type: `TYPE_${type}`, label: "LABEL_OPTIONAL", ...more };
}

/** Every kind of field, marked and not. */
const file = fromJson(FileDescriptorProtoSchema, {
  name: "test.proto",
  package: "test",
  syntax: "proto3",
  dependency: ["google/protobuf/any.proto"],
  messageType: [
    {
      name: "Person",
      field: [
        field("name", 1, "STRING", { options: redacted }),
        field("age", 2, "INT32", { options: redacted }),
        field("photo", 3, "BYTES", { options: redacted }),
        field("aliases", 4, "STRING", { label: "LABEL_REPEATED", options: redacted }),
        field("by_phone", 5, "STRING", { oneofIndex: 0, options: redacted }),
        field("by_id", 6, "STRING", { oneofIndex: 0 }),
        field("city", 7, "STRING"),
      ],
      oneofDecl: [{ name: "contact" }],
    },
    {
      name: "Whole",
      field: [
        field("id", 1, "STRING"),
        field("one", 2, "MESSAGE", { typeName: person }),
        field("many", 3, "MESSAGE", { typeName: person, label: "LABEL_REPEATED" }),
        field("map", 4, "MESSAGE", { typeName: ".test.Whole.MapEntry", label: "LABEL_REPEATED" }),
        field("secret", 5, "MESSAGE", { typeName: person, options: redacted }),
        field("any", 6, "MESSAGE", { typeName: ".google.protobuf.Any" }),
        field("notes", 7, "MESSAGE", {
          typeName: ".test.Whole.NotesEntry",
          label: "LABEL_REPEATED",
          options: redacted,
        }),
      ],
      nestedType: [
        {
          name: "MapEntry",
          options: { mapEntry: true },
          field: [field("key", 1, "STRING"), field("value", 2, "MESSAGE", { typeName: person })],
        },
        {
          name: "NotesEntry",
          options: { mapEntry: true },
          field: [field("key", 1, "STRING"), field("value", 2, "STRING")],
        },
      ],
    },
  ],
});
const registry = createFileRegistry(file, (name) =>
  name === "google/protobuf/any.proto" ? AnySchema.file : undefined,
);
const Person = messageOf("test.Person");
const Whole = messageOf("test.Whole");

function messageOf(name: string): DescMessage {
  const found = registry.getMessage(name);
  if (found === undefined) throw new Error(`no message ${name}`);
  return found;
}

const anna = {
  name: "MARK name",
  age: 41,
  photo: "TUFSSw==",
  aliases: ["MARK a", "MARK b"],
  byPhone: "MARK phone",
  city: "Bern",
};

describe("a redacted copy", () => {
  const any = anyPack(Person, fromJson(Person, anna));
  const original = fromJson(
    Whole,
    {
      id: "w",
      one: anna,
      many: [anna, { byId: "p2" }],
      map: { x: anna },
      secret: { city: "MARK city" },
      any: { "@type": any.typeUrl, ...anna },
      notes: { "MARK key": "MARK value" },
    },
    { registry },
  );
  const clean = {
    name: "[redacted]",
    aliases: ["[redacted]", "[redacted]"],
    byPhone: "[redacted]",
    city: "Bern",
  };

  test("keeps what is not marked, in lists, maps, oneofs and Any", () => {
    expect(toJson(Whole, redact(Whole, original, registry), { registry })).toEqual({
      id: "w",
      one: clean,
      many: [clean, { byId: "p2" }],
      map: { x: clean },
      any: { "@type": any.typeUrl, ...clean },
    });
  });

  test("drops what is in an Any of an unknown type, or one that is cut off", () => {
    expect(redact(AnySchema, any)).toMatchObject({ typeUrl: any.typeUrl, value: { length: 0 } });
    const cut = create(AnySchema, { typeUrl: any.typeUrl, value: any.value.subarray(0, 4) });
    expect(redact(AnySchema, cut, registry).value).toHaveLength(0);
  });

  test("drops unknown fields, and leaves the original as it was", () => {
    const before = toBinary(Whole, original);
    const unknown = { no: 99, wireType: 2, data: new TextEncoder().encode("\u0004MARK") };
    const message = { ...fromJson(Person, anna), $unknown: [unknown] } as unknown as Message;
    expect(Buffer.from(toBinary(Person, redact(Person, message))).toString()).not.toContain("MARK");
    expect(toBinary(Whole, original)).toEqual(before);
  });
});

describe("a text that quotes a message", () => {
  const request = create(PlaceOrderRequestSchema, {
    userId: "ann",
    address: '12 "Rose" Ln\n3000 Bern',
    paymentToken: "tok_visa",
  });
  const redactText = textRedactor([[PlaceOrderRequestSchema, request]]);

  test.each([
    ['no house at 12 "Rose" Ln\n3000 Bern', "no house at [redacted]"],
    [JSON.stringify({ address: request.address }), '{"address":"[redacted]"}'],
    [`/to?a=${encodeURIComponent(request.address)}`, "/to?a=[redacted]"],
    [
      "ann paid with tok_visa; anna and ORD-ann1 did not",
      "[redacted] paid with [redacted]; anna and ORD-ann1 did not",
    ],
  ])("%j", (text, expected) => expect(redactText(text)).toBe(expected));

  test("whatever characters the message has", () => {
    const text = fc.oneof(fc.string({ unit: "binary", minLength: 1 }), fc.string({ minLength: 8 }));
    fc.assert(
      fc.property(text, text, (address, userId) => {
        const odd = create(PlaceOrderRequestSchema, { address, userId });
        const safe = textRedactor([[PlaceOrderRequestSchema, odd]])(`(${address}) (${userId})`);
        for (const value of [address, userId]) {
          if (!"() [redacted]".includes(value)) expect(safe).not.toContain(`(${value})`);
        }
      }),
    );
  });

  test("an error keeps its name, code and causes", () => {
    const cause = Object.assign(new TypeError("bad: ann"), { code: "E_ANN" });
    const found = redactError(new Error("failed for ann", { cause }), redactText) as Error;
    expect(found).toMatchObject({
      message: "failed for [redacted]",
      cause: { name: "TypeError", message: "bad: [redacted]", code: "E_ANN" },
    });
    expect(found.stack).toContain("failed for [redacted]");
    expect(`${found.stack}${(found.cause as Error).stack}`).not.toMatch(/\bann\b/);
    const looped = new Error("ann");
    looped.cause = looped;
    expect(redactError(looped, redactText)).toMatchObject({ message: "[redacted]" });
  });
});

/** What is wrong in every way that a text can be: too long, empty of characters that may be, half a character. */
const wrongTexts = ["MARK\u0000", `MARK${"x".repeat(600)}`, "MARK \ud800", "MARK\u202e", "-MARK"];

function* wrongJson(schema: DescMessage): Generator<JsonValue> {
  for (const { jsonName, fieldKind } of schema.fields) {
    for (const value of [...wrongTexts, { k: "MARK" }, ["MARK"]]) {
      yield { [jsonName]: value };
      if (fieldKind === "list") yield { [jsonName]: [value] };
    }
  }
}

test("no violation quotes a value, whichever rule it breaks", () => {
  const schemas = [PlaceOrderRequestSchema, ...[...eventTypes.values()].map(({ desc }) => desc)];
  let violations = 0;
  for (const schema of schemas) {
    for (const json of wrongJson(schema)) {
      for (const message of messagesOf(schema, json)) {
        violations += 1;
        expect(message, JSON.stringify(json)).not.toContain("MARK");
      }
    }
  }
  expect(violations).toBeGreaterThan(100);
});

function messagesOf(schema: DescMessage, json: JsonValue): string[] {
  try {
    const message = readJson(schema, json);
    const bytes = toBinary(schema, message);
    const read = [bytes, bytes.subarray(0, -1)].map((body) => readEvent(schema, body));
    return [
      ...validateMessage(schema, message).map((violation) => violation.message),
      ...read.flatMap((one) => ("invalidReason" in one ? [one.invalidReason] : [])),
    ];
  } catch (error) {
    const { violations = [] } = error as { violations?: { message: string }[] };
    return [...violations.map(({ message }) => message), (error as Error).message];
  }
}

describe("the rules of the contract", () => {
  const contractWith = (name: string, options: JsonValue) =>
    createFileRegistry(
      fromJson(FileDescriptorProtoSchema, {
        name: "c.proto",
        package: "smartcart.test.v1",
        syntax: "proto3",
        messageType: [{ name: "M", field: [field(name, 1, "STRING", { options })] }],
      }),
      () => undefined,
    );
  const empty = contractWith("id", {});

  test.each([
    "address",
    "billing_address",
    "email",
    "phone",
    "user_id",
    "payment_token",
    "password",
  ])("%s must be marked", (name) => {
    expect(redactionFaults(contractWith(name, {}), empty)).toEqual([
      `smartcart.test.v1.M.${name}: holds personal data or a secret; set debug_redact = true`,
    ]);
    expect(redactionFaults(contractWith(name, redacted), empty)).toEqual([]);
  });

  test.each(["next_page_token", "name", "order_id", "tokens_per_second"])("%s need not", (name) => {
    expect(redactionFaults(contractWith(name, {}), empty)).toEqual([]);
  });

  test("a mark that was released stays", () => {
    expect(redactionFaults(contractWith("motto", {}), contractWith("motto", redacted))).toEqual([
      "smartcart.test.v1.M.motto: debug_redact is set in the released contract",
    ]);
  });
});
