import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { foreignProtocolAt } from "./foreign-protocol.ts";
import type { Logger } from "./logger.ts";
import type { StartFault } from "./start-faults.ts";
import { remedyFor } from "./start-faults.ts";
import { timerMs } from "./timer-bounds.ts";

/** A start that failed for a reason that the operator can correct. The message is one line that says how. */
export class StartError extends Error {
  readonly code = "START_FAILED";
  /** The variable to look at. */
  readonly variable?: string;

  constructor(message: string, options?: { variable?: string; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StartError";
    if (options?.variable !== undefined) this.variable = options.variable;
  }
}

/** Resolves after `ms` milliseconds, at once where they are negative; rejects with an AbortError at once when the signal fires. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(timerMs(ms), undefined, signal ? { signal } : {});
}

/** How `retryUntilReady` waits for something outside of the process. */
export interface RetryOptions<T> {
  /** What is waited for, with its address: "PostgreSQL at 127.0.0.1:5432". */
  what: string;
  /** The variable that says where it is. */
  variable: string;
  log: Logger;
  /** Ends the waiting with an AbortError. Default: the end of the process, where it runs within `runMain`. */
  signal?: AbortSignal | undefined;
  attempt: () => Promise<T>;
  /** True for an error that is thrown on as it is. Default: a StartError. */
  isFatal?: (error: unknown) => boolean;
  /**
   * The errors for which waiting helps; another one is thrown as a StartError that says what to do. Default: every error that is not
   * fatal is retried.
   */
  faults?: readonly StartFault[];
  /**
   * The plain-text port and its protocol. A server that speaks HTTP or TLS there instead ends the waiting with a StartError, since it
   * would never answer. Default: not examined. `isAnswer` recognizes an error in the expected protocol, after which nothing is examined.
   */
  port?:
    | {
        readonly host: string;
        readonly port: number;
        readonly protocol: string;
        readonly isAnswer?: (error: unknown) => boolean;
      }
    | undefined;
}

/** The signal that ends the start under way, for what waits deep inside of it. */
const startSignal = new AsyncLocalStorage<AbortSignal>();

/** Runs a start. `signal` ends every `retryUntilReady` inside it that has no signal of its own. */
export function startWithSignal<T>(signal: AbortSignal, start: () => Promise<T>): Promise<T> {
  return startSignal.run(signal, start);
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Tries until it succeeds, without a bound: services start in any order and wait for the database or the broker. Each failed attempt
 * is one line in the log that names the variable. Rejects at once with an error for which waiting does not help, by `faults`.
 */
export async function retryUntilReady<T>(o: RetryOptions<T>): Promise<T> {
  const signal = o.signal ?? startSignal.getStore();
  const isFatal = o.isFatal ?? ((error) => error instanceof StartError);
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    signal?.throwIfAborted();
    try {
      // what the attempt itself waits for ends with it
      return await (signal ? startSignal.run(signal, o.attempt) : o.attempt());
    } catch (error) {
      if (isFatal(error)) throw error;
      const remedy = o.faults && remedyFor(error, o.faults);
      if (remedy !== undefined) throw hopeless(o, error, remedy);
      await assertSpoken(o, error);
      o.log.warn("start.waiting", {
        variable: o.variable,
        message: `waiting for ${o.what}: ${reasonOf(error)} (check ${o.variable})`,
      });
    }
    await delay(pauseMs, signal);
  }
}

async function assertSpoken<T>(o: RetryOptions<T>, cause: unknown): Promise<void> {
  if (o.port === undefined || o.port.isAnswer?.(cause)) return;
  const spoken = await foreignProtocolAt(o.port);
  if (spoken === undefined) return;
  throw hopeless(o, cause, `the port speaks ${spoken}; name one that speaks ${o.port.protocol}`);
}

function hopeless(
  o: { what: string; variable: string },
  cause: unknown,
  remedy: string,
): StartError {
  return new StartError(`${o.variable}: ${o.what}: ${reasonOf(cause)}: ${remedy}`, {
    variable: o.variable,
    cause,
  });
}

/** One line for people. Errors of several attempts at once (IPv4 and IPv6) have no message of their own. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return error.message.split("\n")[0] || String(code ?? error.name);
}
