/** The outcome of a run: a value for machines, and a page for people. */
import type { FaultRecord } from "./faults.ts";
import type { FaultKind } from "./plan.ts";

/** A promise that was not kept. */
export interface Violation {
  readonly invariant: string;
  readonly promise: string;
  /** How many rows contradict it. */
  readonly count: number;
  /** The first of them. */
  readonly rows: readonly object[];
}

export interface Report {
  readonly seed: number;
  readonly orders: number;
  /** How long the load took, in milliseconds. */
  readonly loadMs: number;
  /** Answers that stand, by what they say. */
  readonly answers: Readonly<Record<string, number>>;
  /** Requests that brought no answer that stands, by why. */
  readonly unknown: Readonly<Record<string, number>>;
  /** Orders by their state at the end. */
  readonly states: Readonly<Record<string, number>>;
  /** Share of orders that were accepted, and the least that counts as a test. */
  readonly accepted: number;
  readonly minAccepted: number;
  /** How long customers waited, in milliseconds. */
  readonly waitedMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly faults: readonly FaultRecord[];
  /** Kinds that were asked for and did not happen, with the reason. */
  readonly notRun: Readonly<Partial<Record<FaultKind, string>>>;
  /** From the end of the last fault until every part was ready, and until rest, in milliseconds. */
  readonly readyMs: number;
  readonly restMs: number;
  readonly restBoundMs: number;
  readonly watched: number;
  readonly resyncs: number;
  readonly reconnects: number;
  readonly replays: number;
  /** Parts that gave up at start and were started again. */
  readonly gaveUp: readonly { readonly part: string; readonly output: string }[];
  readonly invariants: readonly string[];
  readonly violations: readonly Violation[];
  /** Stories of orders that contradict a promise. */
  readonly stories: readonly (readonly string[])[];
  readonly passed: boolean;
}

/** The page for people. */
export function formatReport(report: Report): string {
  const { violations } = report;
  const broken = new Map(violations.map((one) => [one.invariant, one]));
  const lines = [
    "",
    `seed ${report.seed}: ${report.orders} orders in ${seconds(report.loadMs)}, ${report.faults.length} faults`,
    "",
    ...table("answer", report.answers),
    ...table("no answer, asked again", report.unknown),
    ...table("state at the end", report.states),
    ...table("fault", countFaults(report)),
    ...Object.entries(report.notRun).map(([kind, why]) => `  not run: ${kind} (${why})`),
    "",
    `accepted     ${percent(report.accepted)} of all orders, at least ${percent(report.minAccepted)} asked for`,
    `waited       p50 ${Math.round(report.waitedMs.p50)} ms, p99 ${Math.round(report.waitedMs.p99)} ms, longest ${seconds(report.waitedMs.max)}`,
    `all ready    ${seconds(report.readyMs)} after the last fault`,
    `at rest      ${seconds(report.restMs)} after the last fault, at most ${seconds(report.restBoundMs)} allowed`,
    `watched      ${report.watched} orders, ${report.reconnects} reconnections, ${report.resyncs} resyncs`,
    `replayed     ${report.replays} requests`,
    `gave up      ${report.gaveUp.length} starts, each repeated by the supervisor`,
    "",
    ...report.invariants.map((name) => {
      const violation = broken.get(name);
      return violation ? `  BROKEN  ${name}: ${violation.count}` : `  kept    ${name}`;
    }),
    "",
    ...violations.flatMap(describe),
    ...report.stories.flat(),
    report.passed
      ? `PASSED: every promise was kept (seed ${report.seed})`
      : `FAILED: run again with --seed ${report.seed} --orders ${report.orders}`,
  ];
  return lines.join("\n");
}

function describe({ invariant, promise, count, rows }: Violation): string[] {
  const shown = rows.slice(0, 5).map((row) => `    ${JSON.stringify(row)}`);
  const more = count > shown.length ? [`    … ${count - shown.length} more`] : [];
  return [`${invariant}: ${promise}`, ...shown, ...more, ""];
}

function countFaults({ faults }: Report): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, outcome } of faults) {
    const name = outcome === "done" ? kind : `${kind} (failed)`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function table(title: string, counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (entries.length === 0) return [`${title}: none`, ""];
  const width = Math.max(...entries.map(([name]) => name.length));
  return [title, ...entries.map(([name, count]) => `  ${name.padEnd(width)}  ${count}`), ""];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
