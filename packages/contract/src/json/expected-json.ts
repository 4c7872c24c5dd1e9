import type { DescField } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";

const wellKnown: Readonly<Record<string, string>> = {
  "google.protobuf.Timestamp": 'must be a time such as "2030-01-31T12:00:00Z"',
  "google.protobuf.Duration": 'must be a duration such as "1.5s"',
  "google.protobuf.FieldMask": 'must be field names such as "userId,address"',
};

/** What the JSON of a field's value has to be, for people. */
export function describeExpected(field: DescField): string {
  if (field.fieldKind === "map") {
    return "must be an object with values of the right type";
  }
  if (field.message !== undefined) {
    return wellKnown[field.message.typeName] ?? "has the wrong type";
  }
  if (field.enum !== undefined) {
    return `must be one of ${field.enum.values.map((value) => value.name).join(", ")}`;
  }
  return describeScalar(field.scalar);
}

function describeScalar(scalar: ScalarType | undefined): string {
  switch (scalar) {
    case ScalarType.STRING:
      return "must be a string";
    case ScalarType.BOOL:
      return "must be true or false";
    case ScalarType.BYTES:
      return "must be a string in base64";
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return "must be a number";
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return "must be a whole number from 0 to 4294967295";
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return "must be a whole number, not negative, of at most 64 bits";
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return "must be a whole number from -2147483648 to 2147483647";
    default:
      return "must be a whole number of at most 64 bits";
  }
}
