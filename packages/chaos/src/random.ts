/** Chance that can be repeated: everything a run decides comes from its seed. */

/** A stream of numbers that depends on nothing but its seed. */
export interface Random {
  /** From 0 up to but not including 1. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** One of them. Throws where there is none. */
  pick<T>(values: readonly T[]): T;
  /** The same values in another order. */
  shuffle<T>(values: readonly T[]): T[];
  /** True in this share of cases, 0 to 1. */
  chance(share: number): boolean;
  /** An independent stream, so that one consumer's appetite does not change what another one gets. */
  fork(name: string): Random;
}

/** SplitMix32: small, and its neighbours' streams have nothing in common. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    int,
    pick<T>(values: readonly T[]): T {
      if (values.length === 0) throw new RangeError("there is nothing to pick from");
      return values[int(0, values.length - 1)] as T;
    },
    shuffle<T>(values: readonly T[]): T[] {
      const left = [...values];
      return values.map(() => left.splice(int(0, left.length - 1), 1)[0] as T);
    },
    chance: (share) => next() < share,
    fork: (name) => createRandom(hashOf(`${seed}/${name}`)),
  };
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text)
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}
