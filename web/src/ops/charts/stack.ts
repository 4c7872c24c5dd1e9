import type { Sample } from "../mesh-history.ts";

/** Layers of a stacked chart, by time in seconds. */
export interface Stack {
  readonly seconds: readonly number[];
  /** The first lies at the bottom. */
  readonly layers: readonly StackLayer[];
}

interface StackLayer {
  readonly name: string;
  /** Upper edge at each moment: the sum up to and with this layer; null in a gap. */
  readonly tops: readonly (number | null)[];
  /** Its own newest value. */
  readonly latest: number;
}

/** Moments further apart than this, in milliseconds, are not joined: the values in between are unknown. For a sample per second. */
export const usualGapMs = 3_500;

/** The states of an order's life, in its order; what a newer service names beside them comes last. */
const life = [
  "RECEIVED",
  "STOCK_RESERVED",
  "PAID",
  "CONFIRMED",
  "SHIPPING",
  "CANCEL_REQUESTED",
  "CANCELLED_REFUNDING",
  "CANCELLED_RELEASING",
  "REJECTED_REFUNDING",
  "REJECTED_RELEASING",
];

/** Stacks the states of the orders, without states that have no orders. */
export function stackStates(samples: readonly Sample[], gapMs = usualGapMs): Stack {
  const names = new Set(samples.flatMap(({ states }) => [...states.keys()]));
  const inOrder = [
    ...life.filter((name) => names.has(name)),
    ...[...names].filter((name) => !life.includes(name)).sort(),
  ];
  const moments = withGaps(samples, gapMs);
  let below: (number | null)[] = moments.map((sample) => (sample.states === undefined ? null : 0));
  const layers = inOrder.map((name) => {
    below = moments.map(({ states }, index) =>
      states === undefined ? null : (below[index] ?? 0) + (states.get(name) ?? 0),
    );
    return { name, tops: below, latest: samples.at(-1)?.states.get(name) ?? 0 };
  });
  return { seconds: moments.map(({ atMs }) => atMs / 1_000), layers };
}

/** Where a state has its colour: the same whichever states are shown beside it. */
export function colourIndexOf(state: string): number {
  const index = life.indexOf(state);
  return index < 0 ? life.length : index;
}

/** The samples, with one that holds nothing in each hole. */
export function withGaps(
  samples: readonly Sample[],
  gapMs = usualGapMs,
): readonly (Sample | { readonly [K in keyof Sample]: K extends "atMs" ? number : undefined })[] {
  return samples.flatMap((sample, index) => {
    const before = samples[index - 1];
    if (before === undefined || sample.atMs - before.atMs <= gapMs) return [sample];
    const hole = {
      atMs: before.atMs + 1,
      states: undefined,
      outsideRate: undefined,
      outsideP99Ms: undefined,
    };
    return [hole, sample];
  });
}
