#!/usr/bin/env node
/**
 * The command `smartcart`. Plain JavaScript that any Node can read, since an older one has no words for what is wrong: it
 * stops at the first type with a trace.
 */
const needed = 24;
const { node } = process.versions;
if (Number(node.split(".")[0]) >= needed) {
  await import("../src/main.ts");
} else {
  process.stderr.write(
    `smartcart: this is Node ${node}, and SmartCart needs ${needed} or later. The one that comes with it is not installed ("npm ci --ignore-scripts" leaves it out): run "npm rebuild node", or call a newer Node.\n`,
  );
  process.exitCode = 1;
}
