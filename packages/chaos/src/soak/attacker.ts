/** Runs one attack as a process of its own, at low priority, until it is ended. Its arguments: name, and targets as JSON. */
import { constants, setPriority } from "node:os";
import type { AttackName } from "./attacks.ts";
import { attacks } from "./attacks.ts";
import type { Generator, Targets } from "./generator.ts";

const [name, targetsJson] = process.argv.slice(2) as [AttackName, string];
const targets = JSON.parse(targetsJson) as Targets;
const tickMs = 20;

// Low priority, so that the attacker does not take CPU time from the shop: the cost of the attack to the shop is measured.
setPriority(constants.priority.PRIORITY_LOW);

const sent: Record<string, number> = {};
for (const generator of attacks[name].generators) generate(generator);
process.on("message", () => process.send?.(sent));
process.on("disconnect", () => process.exit());

/** Opens connections at a steady rate. Connections that could not be opened in time are skipped. */
function generate({ what, perSecond, atOnce, run }: Generator): void {
  let open = 0;
  let due = 0;
  let turn = 0;
  sent[what] = 0;
  setInterval(() => {
    due = Math.min(due + (perSecond * tickMs) / 1_000, Math.max(1, perSecond / 10));
    while (due >= 1 && open < atOnce) {
      due -= 1;
      open += 1;
      sent[what] = turn + 1;
      void run(targets, turn++).finally(() => {
        open -= 1;
      });
    }
  }, tickMs);
}
