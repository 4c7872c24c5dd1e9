import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { withTimeout } from "@smartcart/runtime";
import { waitFor } from "./wait-for.ts";

/** Whether a child has ended, by itself or by a signal. */
export function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Ends a child with SIGTERM, and with SIGKILL where it has not exited after `graceMs` milliseconds. Resolves when it has exited;
 * at once where it has already.
 */
export async function terminate(child: ChildProcess, graceMs = 10_000): Promise<void> {
  if (hasExited(child)) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await withTimeout(exited, graceMs, () => {
    child.kill("SIGKILL");
    return exited;
  });
}

/** Waits until the URL answers 200. Fails at once when the child exits first; both failures show what `output` answers. */
export async function untilAnswers(
  child: ChildProcess,
  url: string,
  o: {
    readonly timeoutMs: number;
    /** What the child wrote. */
    readonly output: () => string | Promise<string>;
  },
): Promise<void> {
  const answered = async () =>
    hasExited(child) || (await fetch(url).catch(() => undefined))?.status === 200;
  try {
    await waitFor(answered, { timeoutMs: o.timeoutMs, what: `${url} to answer` });
  } catch (cause) {
    const output = await o.output();
    throw new Error(`${url} did not answer; the process wrote:\n${output}`, { cause });
  }
  if (hasExited(child)) throw new Error(`the process ended; it wrote:\n${await o.output()}`);
}
