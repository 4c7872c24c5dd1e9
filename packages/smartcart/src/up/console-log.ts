/** Log lines for a terminal: time, service, event, attributes. */
import type { LogLine, LogSink } from "@smartcart/runtime";
import { writeOutput } from "@smartcart/runtime";

export function createConsoleLog(): LogSink {
  return {
    write(line) {
      writeOutput("stdout", `${format(line)}\n`);
    },
  };
}

/** The line without its end. It is one line whatever is in it. */
export function format({
  occurredAt,
  severity,
  service,
  event,
  message,
  orderId,
  attributes,
}: LogLine): string {
  const time = occurredAt.toTimeString().slice(0, 8);
  const mark = severity === "info" || severity === "debug" ? "" : `${severity.toUpperCase()} `;
  const text = message === "" ? [event, orderId].join(" ").trim() : message;
  const rest = Object.entries(attributes).map(([name, value]) => `${name}=${plain(value)}`);
  return `${time} ${service.padEnd(12)} ${mark}${printable([text, ...rest].join(" "))}`;
}

/** Line ends, escape codes of terminals, and what turns the direction of text: with them a value could pose as other lines. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

function printable(text: string): string {
  return text.replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function plain(value: unknown): string {
  if (typeof value === "object" && value !== null && "message" in value)
    return String(value.message);
  return typeof value === "string" ? value : JSON.stringify(value);
}
