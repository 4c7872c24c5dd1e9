/**
 * Personal data and secrets are the fields with `debug_redact` in the contract. Whatever writes a message to a log, a trace, a listing or
 * a terminal writes a redacted copy.
 */
import type { DescField, DescMessage, Message, MessageShape, Registry } from "@bufbuild/protobuf";
import { clone, ScalarType } from "@bufbuild/protobuf";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Any } from "@bufbuild/protobuf/wkt";
import { AnySchema, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";

/** Replaces a redacted text. */
export const redactedText = "[redacted]";

/** Whether the contract says that a field holds personal data or a secret. */
export function isRedacted(field: DescField): boolean {
  return field.proto.options?.debugRedact === true;
}

/**
 * A copy without personal data: texts with `debug_redact` become "[redacted]", and all other values with it are cleared. Unknown fields
 * are dropped, since nothing says what they hold; so is what an `Any` holds, unless `registry` knows its type.
 */
export function redact<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
  registry?: Registry,
): MessageShape<D> {
  const copy = clone(schema, message);
  redactMessage(reflect(schema, copy), registry);
  return copy;
}

function redactMessage(message: ReflectMessage, registry: Registry | undefined): void {
  message.setUnknown([]);
  if (message.desc.typeName === AnySchema.typeName) {
    redactAny(message.message as Any, registry);
    return;
  }
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (isRedacted(field)) conceal(message, field);
    else for (const inner of messagesIn(message, field)) redactMessage(inner, registry);
  }
}

function redactAny(any: Any, registry: Registry | undefined): void {
  const schema = registry?.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
  const held = schema && registry && unpacked(any, registry);
  any.value = held ? anyPack(schema, redact(schema, held, registry)).value : new Uint8Array();
}

/** Undefined for what is cut off or was never a message of its type. */
function unpacked(any: Any, registry: Registry): Message | undefined {
  try {
    return anyUnpack(any, registry);
  } catch {
    return undefined;
  }
}

function conceal(message: ReflectMessage, field: DescField): void {
  if (field.fieldKind === "list" && field.scalar === ScalarType.STRING) {
    const list = message.get(field);
    for (let i = 0; i < list.size; i += 1) list.set(i, redactedText);
  } else if (field.fieldKind === "scalar" && field.scalar === ScalarType.STRING) {
    message.set(field, redactedText);
  } else {
    message.clear(field);
  }
}

/** The messages that a field holds: one, those of a list, or the values of a map. A `Struct` has no fields that could be marked. */
export function messagesIn(message: ReflectMessage, field: DescField): ReflectMessage[] {
  if (field.message === undefined || field.message.typeName === "google.protobuf.Struct") return [];
  if (field.fieldKind === "message") return [message.get(field)];
  if (field.fieldKind === "list") return [...message.get(field)] as ReflectMessage[];
  return field.fieldKind === "map" ? ([...message.get(field).values()] as ReflectMessage[]) : [];
}
