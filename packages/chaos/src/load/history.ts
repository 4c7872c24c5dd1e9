/** A log of the client's requests and answers, written to disk before and after each request: no injected fault can change it. */
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";

/** One line of the file. */
export type HistoryRecord = {
  readonly at: string;
  /** invoke: about to be sent; ok, failed: answered for good; unknown: no answer, or one that says to ask again. */
  readonly kind: "invoke" | "ok" | "failed" | "unknown";
  readonly operation: "place" | "replay" | "cancel";
  readonly key: string;
  readonly orderId?: string;
  readonly httpStatus?: number;
  /** Status of the order, or code of the problem. */
  readonly says?: string;
  /** Why there was no answer. */
  readonly error?: string;
};

/** All records are kept in memory as well; disposal waits for pending writes and closes the file. */
export interface ClientHistory extends AsyncDisposable {
  /** Resolves when it is on disk. Lines that come at once share one fsync. */
  append(record: Omit<HistoryRecord, "at">): Promise<void>;
  /** All lines about an order or a key. */
  about(name: string): readonly HistoryRecord[];
  readonly records: readonly HistoryRecord[];
}

/** Appends to the file and creates it where it does not exist; lines of an earlier run are not read. */
export async function openHistory(file: string): Promise<ClientHistory> {
  const handle = await open(file, "a");
  const records: HistoryRecord[] = [];
  let waiting: { line: string; done: () => void }[] = [];
  let writing: Promise<void> | undefined;

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await writeAndSync(handle, batch.map(({ line }) => line).join(""));
      for (const { done } of batch) done();
    }
    writing = undefined;
  };

  return {
    records,
    about: (name) => records.filter((one) => one.key === name || one.orderId === name),
    append(record) {
      const full: HistoryRecord = { at: new Date().toISOString(), ...record };
      records.push(full);
      return new Promise((done) => {
        waiting.push({ line: `${JSON.stringify(full)}\n`, done });
        writing ??= write();
      });
    },
    async [Symbol.asyncDispose]() {
      await writing;
      await handle.close();
    },
  };
}

async function writeAndSync(handle: FileHandle, text: string): Promise<void> {
  await handle.write(text);
  await handle.datasync();
}
