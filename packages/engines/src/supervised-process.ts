import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { OsUser } from "./os-user.ts";

/** Default of `graceMs`. */
export const signalGraceMs = 10_000;

/*
 * A server is not our child but runs under a shell that holds the reading end of a pipe, whose only writing end is ours.
 * However this process dies, the system closes the pipe; `read` then ends and the server gets one signal after the other until it
 * has ended. The signals go to the process group (0), in which the shell is as well: it traps what it is not meant to end
 * by. When the server has ended, whatever it left in the group ends with the shell.
 */
const script = `
signals=$1 grace=$2
shift 2
exec 3<&0 </dev/null
trap : TERM INT QUIT
"$@" 3<&- &
server=$!
(
  trap : TERM INT QUIT
  read -r _ <&3
  for signal in $signals; do
    kill -s "$signal" 0
    sleep "$grace"
  done
) 2>/dev/null &
exec 3<&-
while kill -0 "$server" 2>/dev/null; do wait "$server"; done
kill -s KILL 0
`;

interface ProcessOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** The whole environment: nothing of ours is added. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory. */
  readonly cwd: string;
  readonly osUser: OsUser | undefined;
  /** Its output is added to that file. */
  readonly logFile: string;
  /** What stops it: the orderly way first, then harder ones. */
  readonly stopSignals: readonly NodeJS.Signals[];
  /** Time that each signal gets to end it before the next one is sent, in milliseconds. Default 10,000. */
  readonly graceMs?: number;
}

/** A program that does not outlive this process. */
export interface SupervisedProcess {
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  hasEnded(): boolean;
  /** Stops it and resolves when it has ended. Idempotent. */
  stop(): Promise<void>;
}

/** Starts the program; it does not wait until the program is ready. A program that cannot be started counts as ended. */
export function startSupervisedProcess(o: ProcessOptions): SupervisedProcess {
  const shell = spawnShell(o);
  // Where the shell itself cannot be started there is an error instead of an exit.
  let hasEnded = false;
  const ended = once(shell, "exit").then(
    () => {},
    () => {},
  );
  void ended.then(() => {
    hasEnded = true;
  });
  shell.stdin?.on("error", () => {});
  return {
    ended,
    hasEnded: () => hasEnded,
    async stop() {
      shell.stdin?.destroy();
      await ended;
    },
  };
}

function spawnShell(o: ProcessOptions): ChildProcess {
  // Opened by us: the other user need not be able to write it.
  const log = openSync(o.logFile, "a");
  const signals = o.stopSignals.map((signal) => signal.replace("SIG", "")).join(" ");
  const grace = String((o.graceMs ?? signalGraceMs) / 1_000);
  const args = ["smartcart-supervisor", signals, grace, ...o.command];
  try {
    return spawn("/bin/sh", ["-c", script, ...args], {
      cwd: o.cwd,
      env: o.env,
      stdio: ["pipe", log, log],
      // A group of its own: Ctrl-C at the terminal must not stop a server before its clients.
      detached: true,
      ...o.osUser,
    });
  } finally {
    closeSync(log);
  }
}
