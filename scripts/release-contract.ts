/**
 * Renews `baseline/contract.binpb`, the released contract that `buf breaking` compares with, from the contract in
 * the working folder: `npm run contract:release -- renew`. From then on clients of the old one are on their own, so
 * it wants the word, and a contract that is committed.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";

const baseline = "baseline/contract.binpb";
const contract = ["proto", "third_party", "buf.yaml"];

const refusal = whyNot(process.argv[2]);
if (refusal === undefined) {
  reportBreaks();
  mkdirSync("baseline", { recursive: true });
  execFileSync("buf", ["build", "--exclude-source-info", "--output", baseline], {
    stdio: "inherit",
  });
  console.log(`${baseline} is the contract of this commit now. Commit it.`);
} else {
  console.error(refusal);
  process.exitCode = 1;
}

function whyNot(word: string | undefined): string | undefined {
  if (word !== "renew") {
    return 'This changes what "breaking" means. If you want that: npm run contract:release -- renew';
  }
  const changed = execFileSync("git", ["status", "--porcelain", "--", ...contract], {
    encoding: "utf8",
  });
  if (changed === "") return undefined;
  return `Commit the contract first, so that the baseline is that of a commit:\n${changed.trimEnd()}`;
}

function reportBreaks(): void {
  if (!existsSync(baseline)) return;
  const { stdout } = spawnSync("buf", ["breaking", "--against", baseline], { encoding: "utf8" });
  if (stdout !== "") console.log(`Breaks clients of the last release:\n${stdout.trimEnd()}`);
}
