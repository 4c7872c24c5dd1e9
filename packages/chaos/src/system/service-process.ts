/** An instance of a service as a process that can be killed, stopped and started again; its output goes to a file. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { freePorts, hasExited, terminate } from "@smartcart/testkit";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

const disposeBoundMs = 10_000;

interface ServiceProcessOptions {
  /** "order-1" */
  readonly name: string;
  /** The service: "order". */
  readonly service: string;
  /** The variable that names its port. */
  readonly portVariable: string;
  /** Its environment but for the port. */
  readonly env: Readonly<Record<string, string>>;
  /** Modules to load before it. */
  readonly preload: readonly string[];
  readonly logFile: string;
}

/** How an instance ended after SIGTERM. */
interface Ending {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly tookMs: number;
}

/** Disposal stops it, with SIGKILL after 10 s. */
export interface ServiceProcess extends AsyncDisposable {
  readonly name: string;
  /** Undefined before the first start. */
  readonly pid: number | undefined;
  readonly service: string;
  /** A new free port at each start: another process may have taken the old one meanwhile. */
  readonly port: number;
  readonly isRunning: boolean;
  /** It ended without being told to: an instance that cannot start exits, and its supervisor starts it again. */
  readonly hasGivenUp: boolean;
  /** Starts it, with more environment and modules where given; does not wait until it is ready. */
  start(more?: { env?: Record<string, string>; preload?: readonly string[] }): Promise<void>;
  signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
  /** SIGTERM, and SIGKILL where that does not end it within the bound. */
  stop(boundMs: number): Promise<Ending>;
  /** Whether `/readyz` answers 200. */
  isReady(): Promise<boolean>;
  /** The last 15 lines that it wrote. */
  tail(): Promise<string>;
}

export function createServiceProcess(o: ServiceProcessOptions): ServiceProcess {
  let child: ChildProcess | undefined;
  let port = 0;
  let wanted = false;
  const isRunning = () => child !== undefined && !hasExited(child);

  const stop = async (boundMs: number): Promise<Ending> => {
    wanted = false;
    const startedAt = performance.now();
    if (child !== undefined) {
      child.kill("SIGCONT");
      await terminate(child, boundMs);
    }
    return { exitCode: child?.exitCode ?? undefined, tookMs: performance.now() - startedAt };
  };

  return {
    name: o.name,
    service: o.service,
    get pid() {
      return child?.pid;
    },
    get port() {
      return port;
    },
    get isRunning() {
      return isRunning();
    },
    get hasGivenUp() {
      return wanted && !isRunning();
    },
    async start(more = {}) {
      [port = 0] = await freePorts(1);
      wanted = true;
      child = spawnInstance(o, port, more);
    },
    signal(name) {
      if (name === "SIGKILL") wanted = false;
      child?.kill(name);
    },
    isReady: () => answersReady(port),
    tail: () => tail(o.logFile),
    stop,
    async [Symbol.asyncDispose]() {
      await stop(disposeBoundMs);
    },
  };
}

function spawnInstance(
  o: ServiceProcessOptions,
  port: number,
  more: NonNullable<Parameters<ServiceProcess["start"]>[0]>,
): ChildProcess {
  const { PATH = "", HOME = "" } = process.env;
  const preload = [...o.preload, ...(more.preload ?? [])].flatMap((file) => ["--import", file]);
  const output = openSync(o.logFile, "a");
  try {
    return spawn(process.execPath, [...preload, `packages/${o.service}/src/main.ts`], {
      cwd: root,
      env: { PATH, HOME, ...o.env, ...more.env, [o.portVariable]: String(port) },
      stdio: ["ignore", output, output],
    });
  } finally {
    closeSync(output);
  }
}

async function answersReady(port: number): Promise<boolean> {
  const signal = AbortSignal.timeout(2_000);
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal }).catch(() => undefined);
  return answer?.status === 200;
}

async function tail(file: string): Promise<string> {
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  return lines.slice(-15).join("\n");
}
