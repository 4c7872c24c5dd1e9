/** The outcome of a run, as a value for the JSON report and as text. */
import { isRedacted, redactedText } from "@smartcart/contract";
import { OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import type { FaultRecord } from "../faults/faults.ts";
import type { FaultKind } from "../faults/plan.ts";
import type { Percentiles } from "../numbers.ts";
import { countBy } from "../numbers.ts";

/** The result of checking one invariant. */
export interface Finding {
  readonly invariant: string;
  readonly description: string;
  /** How many rows contradict it; 0: it held. */
  readonly count: number;
  /** The first 20 of them. */
  readonly rows: readonly object[];
}

/** The results that every scenario has. */
export interface Verdict {
  readonly seed: number;
  readonly orders: number;
  /** How long the load took, in milliseconds. */
  readonly loadMs: number;
  /** Final answers by status or problem code. */
  readonly answers: Readonly<Record<string, number>>;
  /** Requests without a final answer, by reason. */
  readonly unknown: Readonly<Record<string, number>>;
  /** Orders by their state at the end. */
  readonly states: Readonly<Record<string, number>>;
  /** How long customers waited, in milliseconds. */
  readonly waitedMs: Percentiles;
  /** From the end of the last disturbance until rest, in milliseconds. */
  readonly restMs: number;
  readonly restBoundMs: number;
  readonly watched: number;
  readonly resyncs: number;
  readonly reconnects: number;
  readonly replays: number;
  /** Instances that gave up and were started again. */
  readonly gaveUp: readonly { readonly instance: string; readonly output: string }[];
  /** Names of all checked invariants. */
  readonly invariants: readonly string[];
  /** Those that did not hold. */
  readonly violations: readonly Finding[];
  /** Traces of orders that contradict an invariant, as lines of text. */
  readonly traces: readonly (readonly string[])[];
  readonly passed: boolean;
}

/** The results of a run with faults. */
export interface Report extends Verdict {
  /** Share of orders that were accepted, and the least that counts as a test. */
  readonly accepted: number;
  readonly minAccepted: number;
  readonly faults: readonly FaultRecord[];
  /** Kinds that were asked for and did not happen, with the reason. */
  readonly notRun: Readonly<Partial<Record<FaultKind, string>>>;
  /** From the end of the last fault until every instance was ready, in milliseconds. */
  readonly readyMs: number;
}

/** A finding about an invariant that is checked in code and not by a query; keeps the first 20 rows. */
export function find(invariant: string, description: string, rows: readonly object[]): Finding {
  return { invariant, description, count: rows.length, rows: rows.slice(0, 20) };
}

/** For scenarios without faults, in which no process may end by itself. */
export function noProcessGaveUp({ gaveUp }: Verdict): Finding {
  return find("no process ends by itself", "Only what is told to end does.", gaveUp);
}

/** Adds findings to a verdict; one that has rows fails it. */
export function withFindings(verdict: Verdict, found: readonly Finding[]): Verdict {
  const broken = found.filter(({ count }) => count > 0);
  return {
    ...verdict,
    invariants: [...verdict.invariants, ...found.map(({ invariant }) => invariant)],
    violations: [...broken, ...verdict.violations],
    passed: verdict.passed && broken.length === 0,
  };
}

/** The report of a run with faults, as text. */
export function formatReport(report: Report): string {
  return formatVerdict(report, [
    ...table("fault", countFaults(report)),
    ...Object.entries(report.notRun).map(([kind, why]) => `  not run: ${kind} (${why})`),
    "",
    `accepted     ${percent(report.accepted)} of all orders, at least ${percent(report.minAccepted)} asked for`,
    `all ready    ${seconds(report.readyMs)} after the last fault`,
  ]);
}

/** The report in one line. */
export function summarize(report: Report): string {
  return (
    `seed ${report.seed}: ${percent(report.accepted)} of ${report.orders} orders accepted, ` +
    `${report.faults.length} faults of ${Object.keys(countFaults(report)).length} kinds, at rest ${seconds(report.restMs)} after the last`
  );
}

/** The report of any scenario as text; `lines` are those of this scenario. */
export function formatVerdict(verdict: Verdict, lines: readonly string[]): string {
  const { violations } = verdict;
  const broken = new Map(violations.map((one) => [one.invariant, one]));
  return [
    "",
    `seed ${verdict.seed}: ${verdict.orders} orders in ${seconds(verdict.loadMs)}`,
    "",
    ...table("answer", verdict.answers),
    ...table("no answer, asked again", verdict.unknown),
    ...table("state at the end", verdict.states),
    ...lines,
    `waited       ${span(verdict.waitedMs)}`,
    `at rest      ${seconds(verdict.restMs)} after the last disturbance, at most ${seconds(verdict.restBoundMs)} allowed`,
    `watched      ${verdict.watched} orders, ${verdict.reconnects} reconnections, ${verdict.resyncs} resyncs`,
    `replayed     ${verdict.replays} requests`,
    `gave up      ${verdict.gaveUp.length} processes, each started again by the supervisor`,
    "",
    ...verdict.invariants.map((name) => {
      const violation = broken.get(name);
      return violation ? `  BROKEN  ${name}: ${violation.count}` : `  kept    ${name}`;
    }),
    "",
    ...violations.flatMap(describe),
    ...verdict.traces.flat(),
    verdict.passed
      ? `PASSED: every invariant held (seed ${verdict.seed})`
      : `FAILED: run again with --seed ${verdict.seed}`,
  ].join("\n");
}

/** A row of the database or of a history as JSON, with fields redacted that the contract marks with `debug_redact`. */
export function withoutPersonalData(row: object): string {
  return JSON.stringify(row, (name, value: unknown) =>
    value !== null && personalNames.has(name) ? redactedText : value,
  );
}

/** As columns and as members of JSON. */
const personalNames: ReadonlySet<string> = new Set(
  [OrderSchema, PlaceOrderRequestSchema].flatMap(({ fields }) =>
    fields.filter(isRedacted).flatMap(({ name, jsonName }) => [name, jsonName]),
  ),
);

function describe({ invariant, description, count, rows }: Finding): string[] {
  const shown = rows.slice(0, 5).map((row) => `    ${withoutPersonalData(row)}`);
  const more = count > shown.length ? [`    … ${count - shown.length} more`] : [];
  return [`${invariant}: ${description}`, ...shown, ...more, ""];
}

function countFaults({ faults }: Report): Record<string, number> {
  return countBy(
    faults.map(({ kind, outcome }) => (outcome === "done" ? kind : `${kind} (failed)`)),
  );
}

/** A title and a line for each entry, the greatest first. */
export function table(title: string, counts: Readonly<Record<string, number | string>>): string[] {
  const entries = Object.entries(counts).sort(([, a], [, b]) => Number(b) - Number(a));
  if (entries.length === 0) return [`${title}: none`, ""];
  const width = Math.max(...entries.map(([name]) => name.length));
  return [title, ...entries.map(([name, count]) => `  ${name.padEnd(width)}  ${count}`), ""];
}

/** "p50 12 ms, p99 80 ms, longest 0.1 s" */
export function span({ p50, p99, max }: Percentiles): string {
  return `p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms, longest ${seconds(max)}`;
}

/** "1.5 s" of 1,500. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
