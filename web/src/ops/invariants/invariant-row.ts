import { InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";

/** A row that contradicts a invariant, as it can be shown. */
export interface Contradiction {
  /** The order that it is about; "" where it names none. */
  readonly orderId: string;
  /** Everything else, "name: value". */
  readonly facts: readonly string[];
}

/** Reads a row as the service sends it. A row that is no JSON object is shown as it stands. */
export function readContradiction(json: string): Contradiction {
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
      return { text: "kept", tone: "good" };
    case InvariantState.PENDING:
      return { text: "unsettled", tone: "warn" };
    case InvariantState.VIOLATED:
      return { text: "broken", tone: "bad" };
    default:
      return { text: "not looked at yet", tone: "open" };
  }
}

function wordOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
