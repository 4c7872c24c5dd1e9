/** Texts that may quote a message: the error of a handler, the reason of a dead letter, a stack trace. */
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { reflect } from "@bufbuild/protobuf/reflect";
import { isRedacted, messagesIn, redactedText } from "./redact.ts";

/** Shorter values are replaced only as whole words: "u1" must not be replaced in "ORD-u1x". */
const minPartLength = 8;
/** Causes that are followed: one may point back to its error. */
const maxCauses = 5;

/** Replaces personal data of some messages in any text. */
export type TextRedactor = (text: string) => string;

/** A message with its type. */
export type TypedMessage = readonly [schema: DescMessage, message: Message];

/** Replaces the values of the fields with `debug_redact` of messages, also as JSON and in URLs, wherever a text quotes them. */
export function textRedactor(messages: Iterable<TypedMessage>): TextRedactor {
  const values = new Set<string>();
  for (const [schema, message] of messages) collect(reflect(schema, message), values);
  const forms = [...values].flatMap((value) => [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
  ]);
  const longestFirst = [...new Set(forms)]
    .filter((form) => form !== "")
    .sort((one, other) => other.length - one.length);
  if (longestFirst.length === 0) return (text) => text;
  const pattern = new RegExp(longestFirst.map(patternOf).join("|"), "gu");
  return (text) => text.replace(pattern, redactedText);
}

/** A copy of what was thrown with redacted message, stack and causes, and the same name and code, for a log. */
export function redactError(error: unknown, redactText: TextRedactor, depth = 0): unknown {
  if (typeof error === "string") return redactText(error);
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause, code } = error as Error & { code?: unknown };
  const inner =
    cause === undefined || depth >= maxCauses
      ? {}
      : { cause: redactError(cause, redactText, depth + 1) };
  const copy = Object.assign(new Error(redactText(message), inner), { name });
  copy.stack = redactText(stack ?? "");
  return code === undefined ? copy : Object.assign(copy, { code });
}

function patternOf(value: string): string {
  const literal = value.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return value.length >= minPartLength
    ? literal
    : `(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`;
}

function collect(message: ReflectMessage, values: Set<string>): void {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (isRedacted(field)) collectText(message, field, values);
    else for (const inner of messagesIn(message, field)) collect(inner, values);
  }
}

/** All texts in a marked field, however deep. */
function collectText(message: ReflectMessage, field: DescField, values: Set<string>): void {
  const add = (value: unknown) => {
    if (typeof value === "string") values.add(value);
  };
  if (field.fieldKind === "list") {
    for (const item of message.get(field)) add(item);
  } else if (field.fieldKind === "map") {
    for (const entry of message.get(field)) entry.forEach(add);
  } else {
    add(message.get(field));
  }
  for (const inner of messagesIn(message, field)) {
    for (const one of inner.fields) if (inner.isSet(one)) collectText(inner, one, values);
  }
}
