/**
 * The soak of `npm run soak`, a few seconds per attack. How fast honest orders and probes are is for a machine that does
 * nothing else: here a probe fails by what it answers, or by hanging.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { isRunning, makeTemporaryDirectory, processTree } from "@smartcart/testkit";
import type { AttackName } from "../src/soak/attacks.ts";
import { attacks } from "../src/soak/attacks.ts";
import { formatSoak } from "../src/soak/report.ts";
import { runSoak } from "../src/soak/run-soak.ts";
import type { Queue } from "../src/soak/shop.ts";
import { canRunChaos } from "./rig.ts";

async function soak(queue: Queue, names: readonly AttackName[]): Promise<void> {
  await using directory = await makeTemporaryDirectory();
  const result = await runSoak({
    directory: directory.path,
    queue,
    attacks: names,
    seconds: 3,
    rate: 10,
    patienceMs: 30_000,
    onProgress: () => {},
  });
  const page = formatSoak(result);
  expect(result, page).toMatchObject({ ended: undefined, unready: [], lost: [] });
  const kept = result.attacks.filter(({ backAfterMs }) => backAfterMs === undefined);
  expect(kept, page).toEqual([]);
  expect(result.orders).toBeGreaterThan(0);
}

it("the shop outlives every attack, and gives back what it took", { timeout: 600_000 }, () =>
  soak(
    "postgres",
    // The soak itself has those of other tools.
    (Object.keys(attacks) as AttackName[]).filter((name) => !("needs" in attacks[name])),
  ),
);

it("ends all that it has started when it is told to end", { timeout: 120_000 }, async () => {
  await using directory = await makeTemporaryDirectory();
  const main = fileURLToPath(new URL("../src/soak/main.ts", import.meta.url));
  const soak = spawn(process.execPath, [main, "--seconds", "9", "--attacks", "resets"], {
    env: { ...process.env, TMPDIR: directory.path },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(soak, "exit");
  // It says so once the shop, its database and its customers run.
  await once(soak.stderr, "data");
  const tree = await processTree(soak.pid ?? 0);
  expect(tree.map(({ name }) => name)).toContain("postgres");
  soak.kill("SIGTERM");
  expect(await ended).toEqual([143, null]);
  const left = await Promise.all(tree.map(({ pid }) => isRunning(pid)));
  expect(left.filter(Boolean)).toEqual([]);
  expect(await readdir(directory.path)).toEqual([]);
});

// Resets take most of a processor for as long as they are allowed to: with the broker beside it, and the other tests of this
// repository, that is for `npm run soak` on a machine that does nothing else.
it.skipIf(!(await canRunChaos()))("so it does on RabbitMQ", { timeout: 600_000 }, () =>
  soak("rabbitmq", ["bodies", "departures"]),
);
