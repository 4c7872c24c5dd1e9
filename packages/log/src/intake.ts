import { Severity } from "@smartcart/gen/log/v1/log_pb";
import type { Logger } from "@smartcart/runtime";
import type { StoredRecord } from "./record.ts";

/** What bounds the intake. */
export interface IntakeOptions {
  /** Records a second, on average over ten. Warnings and errors have as many again for themselves. */
  readonly perSecond: number;
  readonly log: Logger;
  /** Called with how many records are dropped. */
  readonly onDropped: (count: number) => void;
  /** Unix time in milliseconds. */
  readonly nowMs: () => number;
}

const burstSeconds = 10;
const logEveryMs = 10_000;

/**
 * Decides which records are stored, so that no client can fill the disk or slow down orders by causing log records.
 * The log is best effort: dropped records are counted and reported in a record of their own.
 */
export function createIntake(
  o: IntakeOptions,
): (records: readonly StoredRecord[]) => StoredRecord[] {
  const any = createBucket(o);
  const trouble = createBucket(o);
  let dropped = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  function tell(count: number): void {
    dropped += count;
    o.onDropped(count);
    if (o.nowMs() - toldAtMs < logEveryMs) return;
    toldAtMs = o.nowMs();
    const message = `${dropped} records were more than LOG_MAX_LINES_PER_SECOND allows and are not stored`;
    o.log.warn("log.records_dropped", { records: dropped, message });
    dropped = 0;
  }

  return (records) => {
    const stored = records.filter(
      ({ severity }) => any() || (severity >= Severity.WARN && trouble()),
    );
    if (stored.length < records.length) tell(records.length - stored.length);
    return stored;
  };
}

/** Takes one of so many a second; false where none is left. */
function createBucket({ perSecond, nowMs }: IntakeOptions): () => boolean {
  const most = Math.max(1, perSecond * burstSeconds);
  let left = most;
  let filledAtMs = nowMs();
  return () => {
    const now = nowMs();
    left = Math.min(most, left + ((now - filledAtMs) / 1000) * perSecond);
    filledAtMs = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
