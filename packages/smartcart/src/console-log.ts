/** Log lines as a person reads them in a terminal: time, part, what happened, and whatever else was said. */
import type { LogLine, LogSink } from "@smartcart/runtime";
import { writeOutput } from "@smartcart/runtime";

export function createConsoleLog(): LogSink {
  return {
    write(line) {
      writeOutput("stdout", `${format(line)}\n`);
    },
  };
}

function format({
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
  return `${time} ${service.padEnd(12)} ${mark}${[text, ...rest].join(" ")}`;
}

function plain(value: unknown): string {
  if (typeof value === "object" && value !== null && "message" in value)
    return String(value.message);
  return typeof value === "string" ? value : JSON.stringify(value);
}
