/** What was found of each invariant, and since when. Pure. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { InvariantSchema } from "@smartcart/gen/ops/v1/invariant_pb";
import { InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";
import type { Invariant, Violation } from "@smartcart/reconciler";
import { subjectOf } from "@smartcart/reconciler";

export type InvariantInit = MessageInitShape<typeof InvariantSchema>;

interface InvariantStates {
  /** Takes in what contradicts the invariants at a moment; what is not among it is kept. */
  look(violations: readonly Violation[], nowMs: number): void;
  invariants(): InvariantInit[];
  /** Those that count as broken, with the rows that have stood for long enough. */
  broken(): Violation[];
}

/** Rows that a invariant shows. */
const shownRows = 10;

type Row = Violation["rows"][number];

interface Standing {
  readonly row: Row;
  readonly sinceMs: number;
}

/** Rows count as a violation once they have been found by every look for `brokenAfterMs`: what is only under way does not last that long. */
export function createInvariantStates(
  invariants: readonly Invariant[],
  { brokenAfterMs }: { readonly brokenAfterMs: number },
): InvariantStates {
  /** By the name of the invariant: each look brings invariants of its own. */
  let standing = new Map<string, ReadonlyMap<string, Standing>>();
  let lookedAtMs: number | undefined;

  const rowsOf = (invariant: Invariant) => {
    const all = [...(standing.get(invariant.name)?.values() ?? [])];
    return all.toSorted((one, other) => one.sinceMs - other.sinceMs);
  };
  const hasStood = ({ sinceMs }: Standing) => (lookedAtMs ?? 0) - sinceMs >= brokenAfterMs;
  const stateOf = (rows: readonly Standing[]) => {
    if (lookedAtMs === undefined) return InvariantState.UNSPECIFIED;
    if (rows.length === 0) return InvariantState.HOLDS;
    return rows.some(hasStood) ? InvariantState.VIOLATED : InvariantState.PENDING;
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
    invariants: () =>
      invariants.map((invariant) => {
        const rows = rowsOf(invariant);
        return {
          name: invariant.name,
          description: invariant.description,
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
