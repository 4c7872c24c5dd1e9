/**
 * The soak of `npm run soak`, a few seconds per attack. How fast honest orders and probes are is for a machine that does
 * nothing else: here a probe fails by what it answers, or by hanging.
 */
import { expect, it } from "vitest";
import { makeTemporaryDirectory } from "@smartcart/testkit";
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
  soak("postgres", Object.keys(attacks) as AttackName[]),
);

// Resets take most of a processor for as long as they are allowed to: with the broker beside it, and the other tests of this
// repository, that is for `npm run soak` on a machine that does nothing else.
it.skipIf(!(await canRunChaos()))("so it does on RabbitMQ", { timeout: 600_000 }, () =>
  soak("rabbitmq", ["bodies", "departures"]),
);
