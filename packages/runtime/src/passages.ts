import type { Registry } from "prom-client";

/** An order that came through a part. */
export interface Passage {
  readonly orderId: string;
  /** Where it came from: a part, "client" or "queue". */
  readonly from: string;
  /** Where it went: a part, or "queue". */
  readonly to: string;
  /** Unix time in milliseconds. */
  readonly passedAtMs: number;
  /** Whether it failed there. */
  readonly failed: boolean;
}

/** The latest passages of one part. Writing is cheap enough for every call: a row of a ring is overwritten. */
export interface Passages {
  note(orderId: string, from: string, to: string, failed: boolean): void;
  /** How many there were so far, the forgotten ones included. */
  position(): number;
  /** Those after a position, oldest first; of too many the latest. */
  since(position: number): readonly Passage[];
}

/** Passages that a part remembers; a report takes at most as many. */
const capacity = 50;

const known = new WeakMap<Registry, Passages>();

/**
 * The passages of the part whose metrics are in `registry`. RPC and queue do not know each other, but both count in the
 * registry of their part, so it is what they have in common.
 */
export function passagesOf(registry: Registry): Passages {
  let passages = known.get(registry);
  if (passages === undefined) {
    passages = createPassages();
    known.set(registry, passages);
  }
  return passages;
}

function createPassages(): Passages {
  const ring: Passage[] = [];
  let noted = 0;
  return {
    note(orderId, from, to, failed) {
      ring[noted % capacity] = { orderId, from, to, passedAtMs: Date.now(), failed };
      noted++;
    },
    position: () => noted,
    since(position) {
      const first = Math.max(position, noted - capacity, 0);
      return Array.from({ length: noted - first }, (_, i) => ring[(first + i) % capacity]).filter(
        (passage) => passage !== undefined,
      );
    },
  };
}
