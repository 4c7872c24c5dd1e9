/** Aborted streams that an address may have at once before it is slowed down, and in each second after that. */
export interface ResetBudgetOptions {
  readonly burst: number;
  readonly perSecond: number;
}

/** How many streams each address has aborted beyond what it may. */
export interface ResetBudget {
  /** Counts one more. */
  note(address: string): void;
  /** Time in milliseconds until the address is within its allowance again; 0: it is. */
  debtMs(address: string): number;
}

/** Addresses that are remembered at most; beyond that the one that reset longest ago is forgotten. */
const maxAddresses = 10_000;

interface Level {
  resets: number;
  atMs: number;
}

/**
 * A leaky bucket for each address. By address and not by connection, since a flood that is slowed down on one
 * connection goes on with the next.
 */
export function createResetBudget(
  o: ResetBudgetOptions,
  now: () => number = Date.now,
): ResetBudget {
  const levels = new Map<string, Level>();

  function levelOf(address: string): number {
    const level = levels.get(address);
    if (level === undefined) return 0;
    return Math.max(0, level.resets - ((now() - level.atMs) / 1000) * o.perSecond);
  }

  return {
    note(address) {
      const resets = levelOf(address) + 1;
      // Put back at the end: a Map keeps the order of insertion.
      levels.delete(address);
      levels.set(address, { resets, atMs: now() });
      const oldest = levels.size > maxAddresses ? levels.keys().next().value : undefined;
      if (oldest !== undefined) levels.delete(oldest);
    },
    debtMs: (address) =>
      Math.max(0, Math.ceil(((levelOf(address) - o.burst) / o.perSecond) * 1000)),
  };
}
