/** Counts what each key holds now, such as the open connections of an address. */
export interface Holders {
  /** What the key holds. */
  of(key: string): number;
  /** Adds one; the returned function removes it again, and must be called once. */
  add(key: string): () => void;
}

/** Creates a count in which no key holds anything. A key that holds nothing takes no memory. */
export function createHolders(): Holders {
  const counts = new Map<string, number>();
  const of = (key: string) => counts.get(key) ?? 0;
  return {
    of,
    add(key) {
      counts.set(key, of(key) + 1);
      return () => {
        const left = of(key) - 1;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
      };
    },
  };
}
