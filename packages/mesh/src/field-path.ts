import { create } from "@bufbuild/protobuf";
import type {
  FieldPath,
  FieldPathElement,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  FieldPathElementSchema,
  FieldPathSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** The path as a reader of the JSON sees it: `items[0].productId`, `labels["a"]`. Empty for the message itself. */
export function toJsonPath(path: FieldPath | undefined): string {
  let text = "";
  for (const element of path?.elements ?? []) {
    text += text === "" ? jsonName(element.fieldName) : `.${jsonName(element.fieldName)}`;
    text += subscriptText(element);
  }
  return text;
}

/** Reads what `toJsonPath` writes; names may be in lowerCamelCase or as in the proto. */
export function parseJsonPath(text: string): FieldPath {
  const elements: FieldPathElement[] = [];
  const pattern = /([^.[\]]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/g;
  for (const [, name, index, key] of text.matchAll(pattern)) {
    const last = elements.at(-1);
    if (name !== undefined) {
      elements.push(create(FieldPathElementSchema, { fieldName: protoName(name) }));
    } else if (last !== undefined && index !== undefined) {
      last.subscript = { case: "index", value: BigInt(index) };
    } else if (last !== undefined && key !== undefined) {
      last.subscript = { case: "stringKey", value: JSON.parse(`"${key}"`) as string };
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

/** lowerCamelCase of a field's name, as proto3 JSON derives it. */
export function jsonName(protoFieldName: string): string {
  return protoFieldName.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function protoName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
