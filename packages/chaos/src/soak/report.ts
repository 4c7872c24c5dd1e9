/** The results of a soak as text, and whether it passed. */
import { attacks } from "./attacks.ts";
import type { AttackResult, SoakResult } from "./run-soak.ts";
import { tolerance } from "./run-soak.ts";

/** Share of their usual rate that honest customers keep during an attack. */
const leastShare = 0.8;

/** The failures of a soak as text; empty where it passed. */
export function faultsOf(result: SoakResult): string[] {
  const { unready, ended, lost } = result;
  return [
    ...(ended === undefined ? [] : [`the shop ended with ${ended}`]),
    ...(unready.length === 0 ? [] : [`not ready ${unready.length} times: ${sample(unready)}`]),
    ...(lost.length === 0 ? [] : [`orders lost: ${sample(lost)}`]),
    ...result.attacks.flatMap((attack) => notBack(attack)),
    ...result.attacks.flatMap((attack) => tooSlow(attack)),
  ];
}

function sample(items: readonly string[]): string {
  return items.slice(0, 5).join(", ");
}

function notBack({ attack, backAfterMs, before, after }: AttackResult): string[] {
  if (backAfterMs !== undefined) return [];
  const descriptors = after.descriptors - before.descriptors;
  const bytes = after.liveBytes - before.liveBytes;
  return [
    `${attack}: after a minute there are ${descriptors} more descriptors and ${megabytes(bytes)} more; ` +
      `${tolerance.descriptors} and ${megabytes(tolerance.liveBytes)} may be`,
  ];
}

function tooSlow(result: AttackResult): string[] {
  const share = shareOf(result);
  if (share >= leastShare) return [];
  return [`${result.attack}: honest customers had ${percent(share)} of their rate`];
}

function shareOf({ honestBefore, honestDuring }: AttackResult): number {
  return honestDuring.rate / honestBefore.rate;
}

export function formatSoak(result: SoakResult): string {
  const { queue, seconds, rate } = result.options;
  const faults = faultsOf(result);
  return [
    `soak on ${queue}, ${seconds} s per attack, ${rate} honest orders per second asked for`,
    "",
    ...result.attacks.flatMap(formatAttack),
    `orders       ${result.orders}, ${result.lost.length === 0 ? "none lost" : `lost: ${sample(result.lost)}`}`,
    ...(faults.length === 0 ? ["passed"] : faults.map((fault) => `FAILED  ${fault}`)),
  ].join("\n");
}

/** The figures of several soaks as a table in Markdown. */
export function soakTable(results: readonly SoakResult[]): string {
  const rows = results.flatMap((result) =>
    result.attacks.map((attack) => rowOf(result.options.queue, attack)),
  );
  return [
    "| queue | attack | honest orders, before → during, per second | share | p50, before → during | descriptors, before → peak → after | live memory, before → after | resident peak | back after |",
    "|---|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
    ...results.map(summaryOf),
  ].join("\n");
}

function rowOf(queue: string, result: AttackResult): string {
  const { attack, honestBefore, honestDuring, before, peak, after, backAfterMs } = result;
  const cells = [
    queue,
    attack,
    `${honestBefore.rate.toFixed(1)} → ${honestDuring.rate.toFixed(1)}`,
    percent(shareOf(result)),
    `${honestBefore.p50Ms.toFixed(0)} → ${honestDuring.p50Ms.toFixed(0)} ms`,
    `${before.descriptors} → ${peak.descriptors} → ${after.descriptors}`,
    `${megabytes(before.liveBytes)} → ${megabytes(after.liveBytes)}`,
    megabytes(peak.residentBytes),
    backAfterMs === undefined ? "never" : `${(backAfterMs / 1_000).toFixed(1)} s`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function summaryOf(result: SoakResult): string {
  const { options, orders, lost, unready, ended } = result;
  const { queue, rounds, seconds } = options;
  const end = ended === undefined ? "" : `, the shop ended with ${ended}`;
  return `${queue}: ${rounds} rounds of ${seconds} s per attack, ${orders} honest orders, ${lost.length} lost, not ready ${unready.length} times${end}`;
}

function formatAttack(result: AttackResult): string[] {
  const { attack, sent, honestBefore, honestDuring, before, peak, after, processors } = result;
  const back = result.backAfterMs;
  return [
    `${attack}: ${attacks[attack].what}`,
    ...Object.entries(sent).map(([what, count]) => `  sent         ${count} ${what}`),
    `  honest       ${honestDuring.rate.toFixed(1)} of ${honestBefore.rate.toFixed(1)} a second (${percent(shareOf(result))}), ` +
      `p50 ${honestBefore.p50Ms.toFixed(0)} → ${honestDuring.p50Ms.toFixed(0)} ms, ` +
      `p99 ${honestBefore.p99Ms.toFixed(0)} → ${honestDuring.p99Ms.toFixed(0)} ms, ${honestDuring.repeats} repeated`,
    `  descriptors  ${before.descriptors} → ${peak.descriptors} → ${after.descriptors}`,
    `  memory       ${megabytes(before.liveBytes)} live → ${megabytes(after.liveBytes)}; ` +
      `resident ${megabytes(before.residentBytes)} → ${megabytes(peak.residentBytes)} → ${megabytes(after.residentBytes)}`,
    `  back after   ${back === undefined ? "never" : `${(back / 1_000).toFixed(1)} s`}`,
    `  processors   ${Object.entries(processors)
      .map(([name, share]) => `${name} ${share.toFixed(2)}`)
      .join(", ")}`,
    "",
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}
