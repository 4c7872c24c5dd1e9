import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Ignore } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { formatPath } from "../fields/field-path.ts";
import { rulesOf } from "../fields/field-rules.ts";
import type { FieldViolation } from "./field-violation.ts";

/** The measured sizes of a message. */
interface Sizes {
  /** Items, entries and hundreds of characters together: what it costs to validate the message. */
  readonly weight: number;
  /** Lists, maps and texts that are longer than their field may be, and times that no calendar has. */
  readonly violations: readonly FieldViolation[];
}

/** Finds the sizes of a message without looking into what is too long. */
type Measure = (message: Message) => Sizes;

/** Most items of a list as its field says; undefined: any number. */
export function maxItemsOf(field: DescField): number | undefined {
  const { type } = rulesOf(field) ?? {};
  return type?.case === "repeated" && type.value.maxItems > 0n
    ? Number(type.value.maxItems)
    : undefined;
}

const measures = new WeakMap<DescMessage, Measure>();

/** The measure of a message type, made when it is asked for first. */
export function measureOf(schema: DescMessage): Measure {
  let measure = measures.get(schema);
  if (measure === undefined) {
    const walk = compile(schema, new Map());
    measure = (message) => {
      const found = { weight: 0, violations: [], path: [] };
      walk(message, found);
      return found;
    };
    measures.set(schema, measure);
  }
  return measure;
}

interface Found {
  weight: number;
  readonly violations: FieldViolation[];
  /** Where the walk is. */
  readonly path: (string | number)[];
}

/** Looks at one value. */
type Walk = (value: unknown, found: Found) => void;

function compile(schema: DescMessage, known: Map<DescMessage, Walk>): Walk {
  const before = known.get(schema);
  if (before !== undefined) {
    return before;
  }
  if (schema.typeName === "google.protobuf.Timestamp") {
    return walkTimestamp;
  }
  const steps: { field: DescField; walk: Walk }[] = [];
  const walkFields: Walk = (message, found) => {
    for (const { field, walk } of steps) {
      const value = fieldValue(message as Record<string, unknown>, field);
      if (value !== undefined) {
        found.path.push(field.jsonName);
        walk(value, found);
        found.path.pop();
      }
    }
  };
  // Before its fields are looked at: a message may contain itself.
  known.set(schema, walkFields);
  for (const field of schema.fields) {
    const walk = compileField(field, known);
    if (walk !== undefined) {
      steps.push({ field, walk });
    }
  }
  return walkFields;
}

function fieldValue(message: Record<string, unknown>, field: DescField): unknown {
  if (field.oneof === undefined) {
    return message[field.localName];
  }
  const member = message[field.oneof.localName] as { case?: string; value?: unknown };
  return member.case === field.localName ? member.value : undefined;
}

function compileField(field: DescField, known: Map<DescMessage, Walk>): Walk | undefined {
  const { type, ignore } = rulesOf(field) ?? {};
  if (ignore === Ignore.ALWAYS) {
    return undefined;
  }
  if (field.fieldKind === "list") {
    const itemRules = type?.case === "repeated" ? type.value.items : undefined;
    return walkList(maxItemsOf(field), valueWalk(field, itemRules, known));
  }
  if (field.fieldKind === "map") {
    const rules = type?.case === "map" ? type.value : undefined;
    return walkMap(Number(rules?.maxPairs ?? 0), valueWalk(field, rules?.values, known));
  }
  return valueWalk(field, rulesOf(field), known);
}

function valueWalk(
  field: DescField,
  rules: FieldRules | undefined,
  known: Map<DescMessage, Walk>,
): Walk | undefined {
  if (field.message !== undefined) {
    return compile(field.message, known);
  }
  const { type } = rules ?? {};
  return type?.case === "string" && type.value.maxLen > 0n
    ? walkText(Number(type.value.maxLen))
    : undefined;
}

function walkList(maxItems: number | undefined, walkItem: Walk | undefined): Walk {
  return (value, found) => {
    const items = value as readonly unknown[];
    found.weight += items.length;
    if (maxItems !== undefined && items.length > maxItems) {
      reject(found, `must contain no more than ${maxItems} item(s)`, "repeated.max_items");
    } else if (walkItem !== undefined) {
      for (let i = 0; i < items.length; i += 1) {
        found.path.push(i);
        walkItem(items[i], found);
        found.path.pop();
      }
    }
  };
}

function walkMap(maxPairs: number, walkValue: Walk | undefined): Walk {
  return (value, found) => {
    const entries = Object.entries(value as object);
    found.weight += entries.length;
    if (maxPairs > 0 && entries.length > maxPairs) {
      reject(found, `map must be at most ${maxPairs} entries`, "map.max_pairs");
    } else if (walkValue !== undefined) {
      for (const [key, entry] of entries) {
        found.path.push(key);
        walkValue(entry, found);
        found.path.pop();
      }
    }
  };
}

function walkText(maxCharacters: number): Walk {
  return (value, found) => {
    const text = value as string;
    found.weight += text.length / 100;
    // A character takes up to two units of UTF-16; only between the two bounds they have to be counted.
    if (
      text.length > maxCharacters &&
      (text.length > 2 * maxCharacters || [...text].length > maxCharacters)
    ) {
      reject(found, `must be at most ${maxCharacters} characters`, "string.max_len");
    }
  };
}

/** Bounds of google/protobuf/timestamp.proto: what is outside has no JSON and no date. */
const minSeconds = -62_135_596_800n;
const maxSeconds = 253_402_300_799n;

const walkTimestamp: Walk = (value, found) => {
  const { seconds, nanos } = value as { seconds: bigint; nanos: number };
  if (seconds < minSeconds || seconds > maxSeconds || nanos < 0 || nanos > 999_999_999) {
    const message = "must be a time from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z";
    reject(found, message, "timestamp.valid");
  }
};

function reject({ path, violations }: Found, message: string, ruleId: string): void {
  violations.push({ field: formatPath(path), message, ruleId });
}
