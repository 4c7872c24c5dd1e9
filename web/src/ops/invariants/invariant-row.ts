import { InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";

/** A row that violates an invariant, prepared for display. */
export interface Violation {
  /** The order that it is about; "" where it names none. */
  readonly orderId: string;
  /** Everything else, "name: value". */
  readonly facts: readonly string[];
}

/** Reads a row as the service sends it. A row that is no JSON object is shown as it stands. */
export function parseViolation(json: string): Violation {
  try {
    const row: unknown = JSON.parse(json);
    if (typeof row !== "object" || row === null) return { orderId: "", facts: [json] };
    const { order_id: orderId, ...rest } = row as Record<string, unknown>;
    return {
      orderId: typeof orderId === "string" ? orderId : "",
      facts: Object.entries(rest).map(
        ([name, value]) => `${name.replaceAll("_", " ")}: ${wordOf(value)}`,
      ),
    };
  } catch {
    return { orderId: "", facts: [json] };
  }
}

/** A state in a word and a tone. */
export function invariantStateLabel(state: InvariantState): {
  readonly text: string;
  readonly tone: "good" | "warn" | "bad" | "open";
} {
  switch (state) {
    case InvariantState.HOLDS:
      return { text: "holds", tone: "good" };
    case InvariantState.PENDING:
      return { text: "pending", tone: "warn" };
    case InvariantState.VIOLATED:
      return { text: "violated", tone: "bad" };
    default:
      return { text: "not checked yet", tone: "open" };
  }
}

function wordOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
