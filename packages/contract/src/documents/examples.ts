/** Examples for the documents: values that are valid and that succeed on a shop that has just been started. */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { requiredFields } from "../json-schema/json-schema.ts";

/**
 * By the name of a field, which means the same in every message of the contract: so all examples are about one order. Orders get their
 * ids from the server: the id here is well-formed, but of no order.
 */
const valuesByField: Readonly<Record<string, unknown>> = {
  address: "1 Main St",
  after_sequence: 0,
  available: 498,
  currency_code: "USD",
  item_count: 1,
  last_sequence: 4,
  milestone: "ORDER_MILESTONE_SHIPPED",
  minor_units: "1450",
  name: "Espresso Beans",
  order_id: "ORD-01JDKX5T8Q4W6Z0Y2R7N3M9VBC",
  page_size: 20,
  payment_token: "tok_visa",
  product_id: "espresso-beans",
  quantity: 1,
  sequence: 6,
  service: "shipping",
  status: "Shipped",
  tracking_number: "TRK-7H3K9Q2M5X",
  trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
  user_id: "u1",
};

/** By the full name of an enum, where the first value that is not zero says too little. */
const valuesByEnum: Readonly<Record<string, string>> = {
  "smartcart.order.v1.Order.Status": "CONFIRMED",
  "smartcart.order.v1.OrderMilestone": "ORDER_MILESTONE_SHIPPED",
};

/** Optional messages that examples have, by field name. */
const shownMessages: ReadonlySet<string> = new Set(["total", "unit_price"]);
const timestamp = "google.protobuf.Timestamp";
const exampleTime = "2030-01-31T12:00:00Z";

/** Whether examples have a value of their own for the field. */
export function hasExample(field: DescField): boolean {
  return field.name in valuesByField;
}

/** The proto3 JSON of a message in which everything required is set, and everything optional that has an example. */
export function exampleOf(message: DescMessage): Record<string, unknown> {
  const required = new Set(requiredFields(message));
  const shown = message.fields.filter(
    (field) =>
      required.has(field.jsonName) ||
      hasExample(field) ||
      field.fieldKind === "list" ||
      field.oneof !== undefined ||
      field.message?.typeName === timestamp ||
      shownMessages.has(field.name),
  );
  const onePerOneof = shown.filter(
    (field, index) =>
      field.oneof === undefined || shown.findIndex(({ oneof }) => oneof === field.oneof) === index,
  );
  return Object.fromEntries(onePerOneof.map((field) => [field.jsonName, exampleOfField(field)]));
}

/** The JSON of a field's value. */
export function exampleOfField(field: DescField): unknown {
  if (field.fieldKind === "map") return {};
  const value = exampleOfValue(field);
  return field.fieldKind === "list" ? [value] : value;
}

function exampleOfValue(field: DescField): unknown {
  if (field.enum !== undefined) {
    return (
      valuesByEnum[field.enum.typeName] ?? (field.enum.values[1] ?? field.enum.values[0])?.name
    );
  }
  if (field.message !== undefined) {
    if (field.message.typeName === timestamp) return exampleTime;
    return field.message.typeName.startsWith("google.") ? {} : exampleOf(field.message);
  }
  // The items of a list have the singular of its name.
  const name = field.fieldKind === "list" ? field.name.replace(/s$/, "") : field.name;
  return valuesByField[name] ?? zeroOf(field.scalar);
}

function zeroOf(scalar: ScalarType | undefined): unknown {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return "";
    case ScalarType.BOOL:
      return false;
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return "0";
    default:
      return 0;
  }
}
