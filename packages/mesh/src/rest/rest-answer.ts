import type { JsonValue, Message } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import type { RestRoute } from "@smartcart/contract";
import { findField } from "@smartcart/contract";

/** An HTTP answer with a body of text. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * The answer of a success. Its bytes depend on nothing but the message: protobuf-es writes fields in the order of the
 * descriptor, leaves out what is not set, and knows no other state.
 */
export function successAnswer(route: RestRoute, message: Message, header: Headers): HttpAnswer {
  const json = answeredJson(route, message);
  const headers: Record<string, string> = { "content-type": "application/json" };
  header.forEach((value, name) => {
    headers[name] = value;
  });
  const location = locationOf(route, json);
  if (location !== undefined) {
    headers.location = location;
  }
  return { status: statusOf(route, json), headers, body: JSON.stringify(json) };
}

function answeredJson({ method, responseField }: RestRoute, message: Message): JsonValue {
  const json = toJson(method.output, message) as { [key: string]: JsonValue };
  if (responseField === undefined) {
    return json;
  }
  return json[responseField.jsonName] ?? (responseField.fieldKind === "list" ? [] : {});
}

function statusOf(route: RestRoute, json: JsonValue): number {
  const rule = route.rest?.when.find(({ field, value }) => memberOf(route, json, field) === value);
  return rule?.status || route.rest?.successStatus || 200;
}

function locationOf(route: RestRoute, json: JsonValue): string | undefined {
  const template = route.rest?.location;
  return template
    ? template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(String(memberOf(route, json, name) ?? "")),
      )
    : undefined;
}

/** A field of the answered message, by its proto name. */
function memberOf(route: RestRoute, json: JsonValue, name: string): JsonValue | undefined {
  const schema = route.responseField?.message ?? route.method.output;
  const field = findField(schema, name);
  return field && (json as { [key: string]: JsonValue })[field.jsonName];
}
