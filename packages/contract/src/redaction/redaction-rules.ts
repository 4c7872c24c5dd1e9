/** What the contract must mark with `debug_redact`. */
import type { DescField, DescMessage, Registry } from "@bufbuild/protobuf";
import { isRedacted } from "./redact.ts";

/** Names of fields that say personal data or a secret. */
const tellingName =
  /(^|_)(address|addresses|email|emails|phone|mobile|user_id|user_ids|customer_id|subject|user_name|customer_name|first_name|last_name|full_name|recipient|birthday|birth_date|iban|card_number|token|tokens|secret|password|passwords|authorization|cookie|api_key)$/;
/** Names of messages that say it. */
const tellingType = /(^|\.)\w*(Address|Contact|Person|Customer|Credentials?|Secret|Token)$/;
/** Names that only sound so: the cursor of a list tells the place in it. */
const harmlessNames: ReadonlySet<string> = new Set(["page_token", "next_page_token"]);

/**
 * Fields of our messages that hold personal data or a secret by their name or type and lack `debug_redact`, or lost it since the
 * `released` contract. One line for each.
 */
export function redactionFaults(contract: Registry, released: Registry): string[] {
  const missing = ourFields(contract)
    .filter((field) => saysPrivate(field) && !isRedacted(field))
    .map((field) => `${nameOf(field)}: holds personal data or a secret; set debug_redact = true`);
  const lost = ourFields(released)
    .filter(isRedacted)
    .flatMap(({ parent, number }) => fieldOf(contract, parent, number))
    .filter((field) => !isRedacted(field))
    .map((field) => `${nameOf(field)}: debug_redact is set in the released contract`);
  return [...missing, ...lost];
}

function fieldOf(contract: Registry, { typeName }: DescMessage, number: number): DescField[] {
  const fields = contract.getMessage(typeName)?.fields ?? [];
  return fields.filter((field) => field.number === number);
}

function ourFields(registry: Registry): DescField[] {
  return [...registry].flatMap((type) =>
    type.kind === "message" && type.typeName.startsWith("smartcart.") ? type.fields : [],
  );
}

function saysPrivate({ name, message }: DescField): boolean {
  if (harmlessNames.has(name)) return false;
  return tellingName.test(name) || (message !== undefined && tellingType.test(message.typeName));
}

function nameOf({ parent, name }: DescField): string {
  return `${parent.typeName}.${name}`;
}
