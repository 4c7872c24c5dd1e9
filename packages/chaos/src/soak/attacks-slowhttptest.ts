/** The attacks of slowhttptest (https://github.com/shekyan/slowhttptest), where it is installed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Generator } from "./generator.ts";

/** A bound of its own, in case it is not ended with the attack. */
const maxSeconds = 60;
const connections = 1_000;
const perSecond = 200;

/** Arguments by mode: a header, a piece of the body or a bit of the answer every ten seconds or less. */
const modes = {
  "slow headers (-H)": ["-H", "-i", "5"],
  "slow bodies (-B)": ["-B", "-i", "5", "-s", "65536", "-t", "POST"],
  "slow reading (-X)": ["-X", "-k", "3", "-n", "5", "-w", "8", "-y", "64", "-z", "8"],
} as const;

export const slowHttpTests: readonly Generator[] = Object.entries(modes).map(([what, mode]) => ({
  what: `runs of slowhttptest with ${connections} connections: ${what}`,
  perSecond: 5,
  atOnce: 3,
  async run({ order, hub, page, asset }, turn) {
    const url = [`${order}/docs/swagger-ui-bundle.js`, `${hub}/metrics`, `${page}${asset}`][
      turn % 3
    ];
    const limits = ["-c", connections, "-r", perSecond, "-l", maxSeconds, "-p", "5"].map(String);
    const child = spawn("slowhttptest", [...mode, ...limits, "-u", url ?? order], {
      stdio: "ignore",
    });
    // Ends the tool when the attacker is told to stop.
    const end = () => child.kill("SIGKILL");
    process.once("message", end);
    try {
      await once(child, "exit");
    } finally {
      process.off("message", end);
    }
  },
}));
