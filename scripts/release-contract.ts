/**
 * Renews `baseline/`, what was last released, from the working folder: `npm run contract:release -- renew`. It is the
 * contract that `buf breaking` compares with, and the checksums of the migrations. From then on clients and databases of
 * the old one are on their own, so it wants the word, and a contract and migrations that are committed.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import {
  brokenMigrations,
  migrationsBaseline,
  presentMigrations,
  releasedMigrations,
  renewMigrations,
} from "./released-migrations.ts";

const root = ".";
const baseline = "baseline/contract.binpb";
const released = ["proto", "third_party", "buf.yaml", ":(glob)packages/**/migrations/**/*.sql"];

const refusal = whyNot(process.argv[2]);
if (refusal === undefined) {
  reportBreaks();
  mkdirSync("baseline", { recursive: true });
  execFileSync("buf", ["build", "--exclude-source-info", "--output", baseline], {
    stdio: "inherit",
  });
  renewMigrations(root);
  console.log(
    `${baseline} and ${migrationsBaseline} are the contract and the migrations of this commit now. Commit them.`,
  );
} else {
  console.error(refusal);
  process.exitCode = 1;
}

function whyNot(word: string | undefined): string | undefined {
  if (word !== "renew") {
    return 'This changes what "breaking" means. If you want that: npm run contract:release -- renew';
  }
  const changed = execFileSync("git", ["status", "--porcelain", "--", ...released], {
    encoding: "utf8",
  });
  if (changed === "") return undefined;
  return `Commit the contract and the migrations first, so that the baseline is that of a commit:\n${changed.trimEnd()}`;
}

function reportBreaks(): void {
  const broken = brokenMigrations(releasedMigrations(root), presentMigrations(root));
  if (broken.length > 0) console.log(`Breaks databases of the last release:\n${broken.join("\n")}`);
  if (!existsSync(baseline)) return;
  const { stdout } = spawnSync("buf", ["breaking", "--against", baseline], { encoding: "utf8" });
  if (stdout !== "") console.log(`Breaks clients of the last release:\n${stdout.trimEnd()}`);
}
