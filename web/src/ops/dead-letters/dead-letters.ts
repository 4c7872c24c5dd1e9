import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { QueueState } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type { DeadLetterProgress } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { Batch, Ticked } from "./dead-letter-selection.ts";
import { batchesOf, stillThere, toggled } from "./dead-letter-selection.ts";

/** What is being done with letters. */
export type DeadLetterWork =
  | { readonly kind: "none" }
  | {
      readonly kind: "working";
      readonly verb: DeadLetterAction;
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: "done"; readonly verb: DeadLetterAction; readonly done: number }
  | { readonly kind: "failed"; readonly complaint: string };

export type DeadLetterAction = "redrive" | "drop";

/** The messages that were given up, and what can be done with them. */
export interface DeadLetters {
  letters(): readonly DeadLetter[];
  /** How many there are in each queue, those included that are not listed. */
  queues(): readonly QueueState[];
  /** Why the list could not be read; "" where it could. */
  complaint(): string;
  isLoaded(): boolean;
  ticked(): Ticked;
  tick(key: string): void;
  tickAll(keys: readonly string[]): void;
  work(): DeadLetterWork;
  /** Redrives or drops the ticked ones, or all of a queue. One work at a time; another one is ignored meanwhile. */
  act(verb: DeadLetterAction, batches?: readonly Batch[]): Promise<void>;
  /** Goes no further; what is done is done. */
  stop(): void;
  /** Reads the list again; calls while it is being read are one more reading. */
  reload(): void;
}

/** Most letters that are listed. */
const PAGE_SIZE = 200;

export function createDeadLetters(operations: Console): DeadLetters {
  const { shop, ops, access, signal } = operations;
  let letters: readonly DeadLetter[] = [];
  let queues: readonly QueueState[] = [];
  let complaint = "";
  let isLoaded = false;
  let ticked: Ticked = new Set();
  let work: DeadLetterWork = { kind: "none" };
  let stopped = new AbortController();
  let reading = false;
  let again = false;

  const show = (next: DeadLetterWork): void => {
    work = next;
    shop.refresh();
  };

  const read = async (): Promise<void> => {
    try {
      const answer = await ops.listDeadLetters(
        { pageSize: PAGE_SIZE },
        { signal, timeoutMs: 6_000 },
      );
      letters = answer.deadLetters;
      queues = answer.queues;
      ticked = stillThere(ticked, letters);
      complaint = "";
      isLoaded = true;
    } catch (error) {
      signal.throwIfAborted();
      complaint = access.isDenied(error) ? "" : complaintOf(error);
    }
    shop.refresh();
  };
  const reload = (): void => {
    again = true;
    if (reading) return;
    reading = true;
    const readUntilQuiet = async (): Promise<void> => {
      while (again) {
        again = false;
        await read();
      }
    };
    readUntilQuiet()
      // Only leaving the console rejects it.
      .catch(() => {})
      .finally(() => {
        reading = false;
      });
  };

  const act = async (
    verb: DeadLetterAction,
    batches: readonly Batch[] = batchesOf(letters, ticked),
  ): Promise<void> => {
    if (work.kind === "working" || batches.length === 0) return;
    stopped = new AbortController();
    const ended = AbortSignal.any([signal, stopped.signal]);
    let before = 0;
    let done = 0;
    let total = batches.reduce((sum, { messageIds }) => sum + messageIds.length, 0);
    show({ kind: "working", verb, done, total });
    try {
      for (const selection of batches) {
        for await (const { progress } of begin(operations, verb, selection, ended)) {
          done = before + Number(progress?.done ?? 0);
          total = Math.max(total, before + totalOf(progress));
          show({ kind: "working", verb, done, total });
        }
        before = done;
      }
      show({ kind: "done", verb, done });
      shop.announce(doneInWords(verb, done));
    } catch (error) {
      if (signal.aborted) return;
      if (stopped.signal.aborted) show({ kind: "done", verb, done });
      else if (access.isDenied(error)) show({ kind: "none" });
      else
        show({
          kind: "failed",
          complaint: `${doneInWords(verb, done)} Then: ${complaintOf(error)}`,
        });
    }
    reload();
  };

  return {
    letters: () => letters,
    queues: () => queues,
    complaint: () => complaint,
    isLoaded: () => isLoaded,
    ticked: () => ticked,
    tick(key) {
      ticked = toggled(ticked, key);
      shop.refresh();
    },
    tickAll(keys) {
      ticked = new Set(keys);
      shop.refresh();
    },
    work: () => work,
    act,
    stop: () => stopped.abort(),
    reload,
  };
}

/** "3 messages are back in their queues." */
export function doneInWords(verb: DeadLetterAction, done: number): string {
  const messages = done === 1 ? "1 message is" : `${done} messages are`;
  return verb === "redrive" ? `${messages} back in the queue.` : `${messages} deleted.`;
}

function begin(
  { ops }: Console,
  verb: DeadLetterAction,
  selection: Batch,
  signal: AbortSignal,
): AsyncIterable<{ readonly progress?: DeadLetterProgress | undefined }> {
  return verb === "redrive"
    ? ops.redriveDeadLetters({ selection }, { signal })
    : ops.dropDeadLetters({ selection }, { signal });
}

function totalOf(progress: DeadLetterProgress | undefined): number {
  return Number(progress?.total ?? 0);
}
