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

/** A value in the browser's storage. */
export interface Stored<T> extends Observable<T> {
  /** Reads the stored value again: the event of another tab's write arrives later than the value. */
  reload(): T;
}

/**
 * A value that survives a reload, and that follows changes made in another tab where `storage` is shared by tabs.
 * Where the browser refuses storage (full, or forbidden), it works like any other value until the page is left.
 */
export function createStored<T>(options: StoredOptions<T>): Stored<T> {
  const { storage, key, parse, format = JSON.stringify } = options;
  let text = read(storage, key);
  let isKept = true;
  const value = createObservable(parse(text));
  addEventListener("storage", (event) => {
    const cleared = event.key === null;
    if (event.storageArea === storage && (cleared || event.key === key)) {
      text = cleared ? null : event.newValue;
      value.set(parse(text));
    }
  });
  return {
    ...value,
    set(next) {
      const formatted = format(next);
      isKept = write(storage, key, formatted);
      text = formatted ?? null;
      value.set(next);
    },
    reload() {
      const stored = isKept ? read(storage, key) : text;
      if (stored !== text) {
        text = stored;
        value.set(parse(text));
      }
      return value.get();
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

/** Whether the browser took it; what it refuses is kept in memory only: better than a shop that cannot be used. */
function write(storage: Storage, key: string, text: string | undefined): boolean {
  try {
    if (text === undefined) storage.removeItem(key);
    else storage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}
