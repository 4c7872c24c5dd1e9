import { create } from "@bufbuild/protobuf";
import type {
  FieldPath,
  FieldPathElement,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  FieldPathElementSchema,
  FieldPathSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** Names of JSON that need no quotes in a path. */
const identifier = /^[A-Za-z_]\w*$/;
/** A name that was sent and is not of the contract may be as long as the request. */
const maxNameCharacters = 100;

/** The path as a reader of the JSON sees it: `items[0].productId`, `labels["a"]`. Empty for the message itself. */
export function toJsonPath(path: readonly FieldPathElement[] = []): string {
  const steps = path.map(
    (element) => [jsonName(element.fieldName), subscriptText(element)] as const,
  );
  return steps.reduce((text, [name, subscript]) => joinName(text, name) + subscript, "");
}

/** The same for the names and positions of a JSON text, whether or not the contract has them. */
export function formatPath(steps: readonly (string | number)[]): string {
  return steps.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : joinName(text, step)),
    "",
  );
}

/** The path of a member of what stands at `path`; a name that is no identifier stands in brackets. */
export function joinName(path: string, name: string): string {
  const short = name.length > maxNameCharacters ? `${name.slice(0, maxNameCharacters)}…` : name;
  if (!identifier.test(short)) {
    return `${path}[${JSON.stringify(short)}]`;
  }
  return path === "" ? short : `${path}.${short}`;
}

/** Reads what the functions above write; names may be in lowerCamelCase or as in the proto. */
export function parseJsonPath(text: string): FieldPath {
  const elements: FieldPathElement[] = [];
  const pattern = /([^.[\]]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/g;
  for (const [, name, index, key] of text.matchAll(pattern)) {
    const last = elements.at(-1);
    if (name !== undefined) {
      elements.push(create(FieldPathElementSchema, { fieldName: protoName(name) }));
    } else if (last !== undefined && index !== undefined) {
      last.subscript = { case: "index", value: BigInt(index) };
    } else if (key !== undefined) {
      const value = JSON.parse(`"${key}"`) as string;
      if (last === undefined || last.subscript.case !== undefined) {
        elements.push(create(FieldPathElementSchema, { fieldName: value }));
      } else {
        last.subscript = { case: "stringKey", value };
      }
    }
  }
  return create(FieldPathSchema, { elements });
}

function subscriptText(element: FieldPathElement): string {
  const { subscript } = element;
  if (subscript.case === undefined) {
    return "";
  }
  return subscript.case === "stringKey"
    ? `[${JSON.stringify(subscript.value)}]`
    : `[${String(subscript.value)}]`;
}

/** lowerCamelCase of a field's name, as proto3 JSON derives it. What cannot be the name of a field, `__proto__`, stays. */
export function jsonName(protoFieldName: string): string {
  if (!/^[a-z]\w*$/.test(protoFieldName)) {
    return protoFieldName;
  }
  return protoFieldName.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function protoName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
