import { setFlagsFromString } from "node:v8";
import type { DestinationStream } from "pino";
import { ConfigError } from "./config.ts";
import { createLastDefence } from "./escaped-errors.ts";
import type { RootLogger } from "./logger.ts";
import { createLogger } from "./logger.ts";
import { watchNpm } from "./npm-watch.ts";
import { writeOutput } from "./output.ts";
import { reasonOf, StartError, startWithSignal } from "./retry.ts";
import { startTelemetry } from "./telemetry.ts";

/** What `start` is given. */
export interface MainContext {
  readonly env: NodeJS.ProcessEnv;
  readonly log: RootLogger;
  /** Fires at the first signal that stops, also while `start` is still waiting for something. */
  readonly signal: AbortSignal;
}

interface MainOptions {
  /** Where the log goes. Default: standard output. */
  destination?: DestinationStream;
  /** Longest time that stopping may take, in milliseconds. Default 10,000. */
  drainMs?: number;
}

/** The signals that stop: Ctrl-C, an orderly end, and a terminal that was closed. */
const signalNumbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/**
 * The frame of every `main.ts`; it ends the process itself.
 *
 * - A start that fails: one clear line on standard error (for a ConfigError one for each variable), exit code 1.
 * - SIGINT, SIGTERM or SIGHUP, or the end of the npm that started it: the started thing is disposed of, exit code 0; 1 when
 *   that failed or took longer than `drainMs`.
 * - A second signal: ends at once, with the code a shell expects (128 + signal).
 * - An error that nothing caught: one of a single stream is counted and survived (`isSurvivable` says why); any other is logged,
 *   exit code 1. A process in an unknown state does not drain.
 * - A standard output or error that takes nothing more is no reason to end.
 */
export async function runMain(
  name: string,
  start: (context: MainContext) => Promise<AsyncDisposable>,
  o: MainOptions = {},
): Promise<void> {
  const { env } = process;
  // What survives of the young generation is little. On a machine whose cores are busy the main thread waits for the last of the
  // helpers, which took 0.2 ms of CPU per order and take 0.1 ms without.
  setFlagsFromString("--no-parallel-scavenge");
  const log = createLogger({
    service: name,
    level: lenientLevel(env.LOG_LEVEL),
    ...(o.destination && { destination: o.destination }),
  });
  const exit = (code: number): never => {
    log.flush();
    process.exit(code);
  };
  const onEscaped = createLastDefence(log, (error) => {
    log.error("process.crashed", { error });
    exit(1);
  });
  process.on("unhandledRejection", onEscaped).on("uncaughtException", onEscaped);

  // Only this function ends the process: the timer keeps it alive while nothing else does.
  setInterval(() => {}, 2 ** 30);
  const telemetry = startTelemetry({ otlpEndpoint: httpUrl(env.OTEL_EXPORTER_OTLP_ENDPOINT) });
  const stop = abortOnSignal(env, exit, () => {
    const boundMs = o.drainMs ?? 10_000;
    // counts from the signal: it also bounds a start that ignores the signal
    setTimeout(() => {
      const message = `still not stopped after ${boundMs} ms`;
      log.error("process.stop_timed_out", { message });
      exit(1);
    }, boundMs);
  });
  const starting = startWithSignal(stop, () => start({ env, log, signal: stop }));
  const running = await starting.catch((error: unknown) => {
    if (stop.aborted) return undefined;
    writeOutput("stderr", `${explain(name, error)}\n`);
    // the stack of an unexpected error goes to the log, not to a terminal
    if (!(error instanceof StartError || error instanceof ConfigError)) {
      log.debug("start.failed", { error });
    }
    return exit(1);
  });
  await aborted(stop);
  const drained = await drain(running, log, String((stop.reason as Error).message));
  await telemetry[Symbol.asyncDispose]();
  exit(drained ? 0 : 1);
}

function abortOnSignal(
  env: NodeJS.ProcessEnv,
  exit: (code: number) => void,
  onFirst: () => void,
): AbortSignal {
  const stop = new AbortController();
  const begin = (why: string) => {
    stop.abort(new DOMException(why, "AbortError"));
    onFirst();
  };
  for (const [signal, number] of Object.entries(signalNumbers)) {
    process.on(signal, () =>
      stop.signal.aborted ? exit(128 + number) : begin(`received ${signal}`),
    );
  }
  watchNpm(env, () => {
    if (!stop.signal.aborted) begin("npm, which started this process, has ended");
  });
  return stop.signal;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

/** Returns whether it went well. */
async function drain(
  running: AsyncDisposable | undefined,
  log: RootLogger,
  message: string,
): Promise<boolean> {
  if (!running) return true;
  log.info("process.stopping", { message });
  try {
    await running[Symbol.asyncDispose]();
    return true;
  } catch (error) {
    log.error("process.stop_failed", { error });
    return false;
  }
}

function explain(name: string, error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof StartError) return `${name}: ${error.message}`;
  return `${name}: could not start: ${reasonOf(error)} (LOG_LEVEL=debug shows more)`;
}

// Both are read here before the service parses its configuration, and invalid values are ignored: the service's own `parseConfig`
// reports them together with all other variables.
function lenientLevel(level: string | undefined): string {
  return level && ["debug", "info", "warn", "error"].includes(level) ? level : "info";
}

function httpUrl(endpoint: string | undefined): string | undefined {
  return endpoint && URL.parse(endpoint)?.protocol.startsWith("http") ? endpoint : undefined;
}
