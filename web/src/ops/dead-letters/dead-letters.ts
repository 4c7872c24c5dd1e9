import type { DeadLetterProgress } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { DeadLetterList } from "./dead-letter-list.ts";
import { createDeadLetterList } from "./dead-letter-list.ts";
import type { Batch, Ticked } from "./dead-letter-selection.ts";
import { batchesOf, stillThere, toggled } from "./dead-letter-selection.ts";

/** State of the current or last action. */
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

/** `redrive` moves to the queue, `archive` out of it for 30 days, `drop` deletes at once. */
export type DeadLetterAction = "redrive" | "archive" | "drop";

/** The dead letters, the selection among them, and the action on it. */
export interface DeadLetters extends DeadLetterList {
  ticked(): Ticked;
  tick(key: string): void;
  /** Selects exactly these. */
  tickAll(keys: readonly string[]): void;
  work(): DeadLetterWork;
  /** Redrives or drops the selected dead letters, or all of a queue. While an action runs, further calls are ignored. */
  act(verb: DeadLetterAction, batches?: readonly Batch[]): Promise<void>;
  /** Stops the action; what is done stays done. */
  stop(): void;
}

/** Reads nothing before `reload`. */
export function createDeadLetters(operations: Console): DeadLetters {
  const { shop, access, signal } = operations;
  let ticked: Ticked = new Set();
  let work: DeadLetterWork = { kind: "none" };
  let stopped = new AbortController();
  const list = createDeadLetterList(operations, (deadLetters) => {
    ticked = stillThere(ticked, deadLetters);
  });
  const show = (next: DeadLetterWork): void => {
    work = next;
    shop.refresh();
  };
  const select = (next: Ticked): void => {
    ticked = next;
    shop.refresh();
  };

  const act = async (
    verb: DeadLetterAction,
    batches: readonly Batch[] = batchesOf(list.list(), ticked),
  ): Promise<void> => {
    if (work.kind === "working" || batches.length === 0) return;
    stopped = new AbortController();
    const ended = AbortSignal.any([signal, stopped.signal]);
    let done = 0;
    try {
      for await (const progress of carryOut(operations, verb, batches, ended)) {
        done = progress.done;
        show({ kind: "working", verb, ...progress });
      }
      show({ kind: "done", verb, done });
      shop.announce(doneInWords(verb, done));
    } catch (error) {
      if (signal.aborted) return;
      if (stopped.signal.aborted) show({ kind: "done", verb, done });
      else if (access.isDenied(error)) show({ kind: "none" });
      else show({ kind: "failed", complaint: `${doneInWords(verb, done)} ${complaintOf(error)}` });
    }
    list.reload();
  };

  return {
    ...list,
    ticked: () => ticked,
    tick: (key) => select(toggled(ticked, key)),
    tickAll: (keys) => select(new Set(keys)),
    work: () => work,
    act,
    stop: () => stopped.abort(),
  };
}

/** "3 messages are back in the queue." */
export function doneInWords(verb: DeadLetterAction, done: number): string {
  const messages = done === 1 ? "1 message is" : `${done} messages are`;
  const outcomes = { redrive: "back in the queue", archive: "in the archive", drop: "deleted" };
  return `${messages} ${outcomes[verb]}.`;
}

/** Carries out the batches one after the other; yields the progress over all of them. */
async function* carryOut(
  operations: Console,
  verb: DeadLetterAction,
  batches: readonly Batch[],
  signal: AbortSignal,
): AsyncGenerator<{ readonly done: number; readonly total: number }> {
  let before = 0;
  let done = 0;
  let total = batches.reduce((sum, { messageIds }) => sum + messageIds.length, 0);
  yield { done, total };
  for (const selection of batches) {
    for await (const { progress } of begin(operations, verb, selection, signal)) {
      done = before + Number(progress?.done ?? 0);
      total = Math.max(total, before + Number(progress?.total ?? 0));
      yield { done, total };
    }
    before = done;
  }
}

function begin(
  { ops }: Console,
  verb: DeadLetterAction,
  selection: Batch,
  signal: AbortSignal,
): AsyncIterable<{ readonly progress?: DeadLetterProgress | undefined }> {
  switch (verb) {
    case "redrive":
      return ops.redriveDeadLetters({ selection }, { signal });
    case "archive":
      return ops.archiveDeadLetters({ selection }, { signal });
    case "drop":
      return ops.dropDeadLetters({ selection }, { signal });
  }
}
