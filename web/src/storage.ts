import type { Observable } from "./observable.ts";
import { createObservable } from "./observable.ts";

/** Where a value is kept, how it is read from text and written as text. */
export interface StoredOptions<T> {
  readonly storage: Storage;
  readonly key: string;
  /** Must not throw: what is stored may be anything, or null. */
  readonly parse: (text: string | null) => T;
  /** Default: JSON. undefined removes the entry. */
  readonly format?: (value: T) => string | undefined;
}

/**
 * A value that survives a reload, and that follows changes made in another tab where `storage` is shared by tabs.
 * Where the browser refuses storage (full, or forbidden), it works like any other value until the page is left.
 */
export function createStored<T>(options: StoredOptions<T>): Observable<T> {
  const { storage, key, parse, format = JSON.stringify } = options;
  const value = createObservable(parse(read(storage, key)));
  addEventListener("storage", (event) => {
    const cleared = event.key === null;
    if (event.storageArea === storage && (cleared || event.key === key)) {
      value.set(parse(event.newValue));
    }
  });
  return {
    ...value,
    set(next) {
      write(storage, key, format(next));
      value.set(next);
    },
  };
}

function read(storage: Storage, key: string): string | null {
  try {
    return storage.getItem(key);
  } catch {
    return null;
  }
}

function write(storage: Storage, key: string, text: string | undefined): void {
  try {
    if (text === undefined) storage.removeItem(key);
    else storage.setItem(key, text);
  } catch {
    // Kept in memory only: better than a shop that cannot be used.
  }
}
