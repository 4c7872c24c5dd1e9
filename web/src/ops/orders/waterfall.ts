/** The story of an order as rows in time. Pure. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import type { OrderStory } from "@smartcart/gen/ops/v1/order_story_pb";

/** One thing that happened. */
export interface WaterfallRow {
  readonly at: string;
  readonly service: string;
  readonly kind: "status" | "log" | "operator" | "dead letter";
  /** What happened: "Stock Reserved", "payment.captured". */
  readonly name: string;
  readonly text: string;
  readonly tone: "" | "warn" | "bad";
  /** Place and length of its bar, as percentages of the whole. */
  readonly startPercent: number;
  readonly widthPercent: number;
}

type Entry = Omit<WaterfallRow, "at" | "startPercent" | "widthPercent"> & {
  readonly atMs: number;
  readonly durationMs: number;
};

/** Narrower bars cannot be seen. */
const minWidth = 0.6;

/** All entries of a story, oldest first; those of one instant in the order of their kinds. */
export function waterfallOf(story: OrderStory): readonly WaterfallRow[] {
  const entries = [...statuses(story), ...records(story), ...deadLettersOf(story)].sort(
    (one, other) => one.atMs - other.atMs,
  );
  const beginMs = Math.min(...entries.map(({ atMs, durationMs }) => atMs - durationMs));
  const endMs = Math.max(...entries.map(({ atMs }) => atMs));
  const percent = (ms: number): number => (100 * ms) / Math.max(1, endMs - beginMs);
  return entries.map(({ atMs, durationMs, ...entry }) => {
    const widthPercent = Math.max(minWidth, percent(durationMs));
    const startPercent = Math.min(100 - widthPercent, percent(atMs - durationMs - beginMs));
    return { ...entry, at: new Date(atMs).toISOString(), startPercent, widthPercent };
  });
}

/** The history: each status has taken the time since the one before. */
function statuses({ events }: OrderStory): Entry[] {
  return events.map(({ occurredAt, service, status }, index) => {
    const atMs = msOf(occurredAt);
    const before = events[index - 1]?.occurredAt;
    return {
      atMs,
      durationMs: before ? Math.max(0, atMs - msOf(before)) : 0,
      service,
      kind: "status",
      name: status,
      text: "",
      tone: "",
    };
  });
}

function records({ records }: OrderStory): Entry[] {
  return records.map(({ occurredAt, service, event, message, severity, attributes }) => {
    const duration = attributes?.durationMs;
    return {
      atMs: msOf(occurredAt),
      durationMs: typeof duration === "number" ? Math.max(0, duration) : 0,
      service,
      kind: event === "operator.called" ? "operator" : "log",
      name: event,
      text: message,
      tone: severity === Severity.ERROR ? "bad" : severity === Severity.WARN ? "warn" : "",
    };
  });
}

function deadLettersOf({ deadLetters }: OrderStory): Entry[] {
  return deadLetters.map(({ failedAt, queue, reason, attempts }) => ({
    atMs: msOf(failedAt),
    durationMs: 0,
    service: `queue ${queue}`,
    kind: "dead letter",
    name: `given up after ${attempts === 1 ? "1 attempt" : `${attempts} attempts`}`,
    text: reason,
    tone: "bad",
  }));
}

function msOf(at: Timestamp | undefined): number {
  return at ? timestampDate(at).getTime() : 0;
}
