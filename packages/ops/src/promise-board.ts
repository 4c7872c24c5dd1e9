/** What was found of each promise, and since when. Pure. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { PromiseSchema } from "@smartcart/gen/ops/v1/promise_pb";
import { PromiseState } from "@smartcart/gen/ops/v1/promise_pb";
import type { Invariant, Violation } from "@smartcart/reconciler";
import { subjectOf } from "@smartcart/reconciler";

export type PromiseInit = MessageInitShape<typeof PromiseSchema>;

export interface PromiseBoard {
  /** Takes in what contradicts the promises at a moment; what is not among it is kept. */
  look(violations: readonly Violation[], nowMs: number): void;
  promises(): PromiseInit[];
  /** Those that count as broken, with the rows that have stood for long enough. */
  broken(): Violation[];
}

/** Rows that a promise shows. */
const shownRows = 10;

type Row = Violation["rows"][number];

interface Standing {
  readonly row: Row;
  readonly sinceMs: number;
}

export function createPromiseBoard(
  invariants: readonly Invariant[],
  { brokenAfterMs }: { readonly brokenAfterMs: number },
): PromiseBoard {
  /** By the name of the promise: each look brings invariants of its own. */
  let standing = new Map<string, ReadonlyMap<string, Standing>>();
  let lookedAtMs: number | undefined;

  const rowsOf = (invariant: Invariant) => {
    const all = [...(standing.get(invariant.name)?.values() ?? [])];
    return all.toSorted((one, other) => one.sinceMs - other.sinceMs);
  };
  const hasStood = ({ sinceMs }: Standing) => (lookedAtMs ?? 0) - sinceMs >= brokenAfterMs;
  const stateOf = (rows: readonly Standing[]) => {
    if (lookedAtMs === undefined) return PromiseState.UNSPECIFIED;
    if (rows.length === 0) return PromiseState.KEPT;
    return rows.some(hasStood) ? PromiseState.BROKEN : PromiseState.UNSETTLED;
  };

  return {
    look(violations, nowMs) {
      const now = violations.map(({ invariant, rows }) => {
        const before = standing.get(invariant.name);
        const entries = rows.map((row) => {
          const subject = subjectOf(row);
          return [subject, { row, sinceMs: before?.get(subject)?.sinceMs ?? nowMs }] as const;
        });
        return [invariant.name, new Map(entries)] as const;
      });
      standing = new Map(now);
      lookedAtMs = nowMs;
    },
    promises: () =>
      invariants.map((invariant) => {
        const rows = rowsOf(invariant);
        return {
          name: invariant.name,
          sentence: invariant.promise,
          state: stateOf(rows),
          rowsJson: rows.slice(0, shownRows).map(({ row }) => JSON.stringify(row)),
          rowCount: BigInt(rows.length),
          isRepairable: invariant.repair !== undefined,
          ...(lookedAtMs !== undefined && { checkedAt: timestampFromMs(lookedAtMs) }),
        };
      }),
    broken: () =>
      invariants.flatMap((invariant) => {
        const rows = rowsOf(invariant).filter(hasStood);
        return rows.length === 0 ? [] : [{ invariant, rows: rows.map(({ row }) => row) }];
      }),
  };
}
