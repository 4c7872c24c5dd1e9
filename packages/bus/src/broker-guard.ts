/*
 * A process of its own between us and a private RabbitMQ. Its standard input is a pipe from the
 * owner: when that closes, because the owner says so or because it died, the node and its port
 * mapper are stopped. Argument: a GuardOrder as JSON.
 */

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { GuardOrder } from "./private-broker.ts";

const stopsWithinMs = 10_000;

const order = JSON.parse(process.argv[2] ?? "") as GuardOrder;
endLeftover(order.directory);
const output = openSync(join(order.directory, "output.log"), "w");
const epmd = start(order.epmd, ["-port", String(order.epmdPort), "-address", "127.0.0.1"]);
const server = start(order.server, []);
const gone = Promise.race([once(server, "exit"), once(epmd, "exit")]);

const ownerIsGone = once(process.stdin.resume(), "close");
const told = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
await Promise.race([gone, ownerIsGone, told]);

await end(server);
await end(epmd);
process.exit(0);

function start(command: string, args: readonly string[]): ChildProcess {
  return spawn(command, args, {
    // A group of its own: the server is a shell script with the Erlang machine below it.
    detached: true,
    stdio: ["ignore", output, output],
    cwd: "/",
    env: order.env,
    ...order.owner,
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, "exit");
  killGroup(child.pid, "SIGTERM");
  await Promise.race([exited, sleep(stopsWithinMs)]);
  killGroup(child.pid, "SIGKILL");
}

/** Of a guard that was killed itself: its node still runs in our folder. */
function endLeftover(directory: string): void {
  try {
    const pid = Number(readFileSync(join(directory, "pid"), "utf8"));
    const isOurs = readFileSync(`/proc/${pid}/environ`, "utf8").includes(`=${directory}/`);
    if (isOurs) process.kill(pid, "SIGKILL");
  } catch {
    // The usual case: there is none.
  }
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone already.
  }
}
