import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { QueueState } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";

/** The newest dead letters of all queues, as last read. */
export interface DeadLetterList {
  list(): readonly DeadLetter[];
  /** Number of dead letters by queue, including those that are not listed. */
  queues(): readonly QueueState[];
  /** Why the last read failed; "" if it did not. */
  complaint(): string;
  isLoaded(): boolean;
  /** The archive, as last read; empty until it is shown. */
  archived(): readonly DeadLetter[];
  isArchiveShown(): boolean;
  /** Shows the archive, or the queues again. */
  showArchive(isShown: boolean): void;
  /** Reads the list again. Calls during a read cause one further read. */
  reload(): void;
}

/** Maximum number of dead letters that are listed. */
const pageSize = 500;

/** @param onRead Called after each successful read, before the page is drawn. */
export function createDeadLetterList(
  { shop, ops, access, signal }: Console,
  onRead: (list: readonly DeadLetter[]) => void,
): DeadLetterList {
  let list: readonly DeadLetter[] = [];
  let queues: readonly QueueState[] = [];
  let complaint = "";
  let isLoaded = false;
  let archived: readonly DeadLetter[] = [];
  let isArchiveShown = false;

  const read = async (): Promise<void> => {
    try {
      const answer = await ops.listDeadLetters(
        { pageSize: pageSize },
        { signal, timeoutMs: 6_000 },
      );
      if (isArchiveShown) {
        const call = { signal, timeoutMs: 6_000 };
        archived = (await ops.listArchivedDeadLetters({ pageSize: pageSize }, call)).deadLetters;
      }
      list = answer.deadLetters;
      queues = answer.queues;
      complaint = "";
      isLoaded = true;
      onRead(list);
    } catch (error) {
      signal.throwIfAborted();
      complaint = access.isDenied(error) ? "" : complaintOf(error);
    }
    shop.refresh();
  };
  const reload = coalesced(read);
  return {
    archived: () => archived,
    isArchiveShown: () => isArchiveShown,
    showArchive(isShown) {
      isArchiveShown = isShown;
      archived = [];
      reload();
      shop.refresh();
    },
    list: () => list,
    queues: () => queues,
    complaint: () => complaint,
    isLoaded: () => isLoaded,
    reload,
  };
}

/** Runs `work` once at a time; calls while it runs cause one further run. A rejection ends it silently: only leaving the console causes one. */
function coalesced(work: () => Promise<void>): () => void {
  let isRunning = false;
  let isWanted = false;
  const run = async (): Promise<void> => {
    while (isWanted) {
      isWanted = false;
      await work();
    }
  };
  return () => {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    run()
      .catch(() => {})
      .finally(() => {
        isRunning = false;
      });
  };
}
