import { ServiceHealth } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { Invariant } from "@smartcart/gen/ops/v1/invariant_pb";
import { InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";
import type { MeshSnapshot, ServiceState } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { formatCount } from "../../ui/numbers.ts";
import { healthOf } from "../health.ts";

/** One of the four things that an operator has to know first. */
export interface Alarm {
  readonly name: string;
  /** "2 broken", "none" */
  readonly value: string;
  /** Which, in words. */
  readonly note: string;
  /** "bad" and "warn" are counted in the title of the tab. */
  readonly tone: "good" | "warn" | "bad" | "open";
  /** The page with the details. */
  readonly href: string;
}

/** An event that waits longer is late: the relay publishes within milliseconds. */
const lateS = 10;
const stuckS = 60;

/** In the order of their weight. `snapshot` is undefined before the first one. */
export function alarmsOf(
  snapshot: MeshSnapshot | undefined,
  invariants: readonly Invariant[],
): readonly Alarm[] {
  return [
    invariantAlarm(invariants),
    ...(snapshot
      ? [deadLetterAlarm(snapshot), outboxAlarm(snapshot), serviceAlarm(snapshot)]
      : unknown),
  ];
}

/** How many of them need an operator. */
export function countAlarms(alarms: readonly Alarm[]): number {
  return alarms.filter(({ tone }) => tone === "bad" || tone === "warn").length;
}

const names = {
  invariants: "Invariants",
  deadLetters: "Dead letters",
  outbox: "Outbox",
  services: "Services",
} as const;

const unknown: readonly Alarm[] = [names.deadLetters, names.outbox, names.services].map((name) => ({
  name,
  value: "…",
  note: "not known yet",
  tone: "open",
  href: "/ops",
}));

function invariantAlarm(invariants: readonly Invariant[]): Alarm {
  const of = (wanted: InvariantState) => invariants.filter(({ state }) => state === wanted);
  const broken = of(InvariantState.VIOLATED);
  const pending = of(InvariantState.PENDING).length;
  const base = { name: names.invariants, href: "/ops" };
  if (broken.length > 0) {
    const note = broken.map(({ name }) => `“${name}”`).join(", ");
    return { ...base, value: `${broken.length} broken`, note, tone: "bad" };
  }
  if (invariants.length === 0 || of(InvariantState.UNSPECIFIED).length > 0) {
    return { ...base, value: "…", note: "the first check starts soon", tone: "open" };
  }
  const note = pending > 0 ? `${pending} with work in progress` : `all ${invariants.length} hold`;
  return { ...base, value: "none broken", note, tone: "good" };
}

function deadLetterAlarm({ queues }: MeshSnapshot): Alarm {
  const full = queues.filter(({ deadLetters }) => deadLetters > 0n);
  const count = full.reduce((sum, { deadLetters }) => sum + deadLetters, 0n);
  return {
    name: names.deadLetters,
    value: count === 0n ? "none" : formatCount(count),
    note:
      count === 0n
        ? "all messages are processed"
        : full
            .map(({ queue, deadLetters }) => `${formatCount(deadLetters)} of ${queue}`)
            .join(", "),
    tone: count === 0n ? "good" : "warn",
    href: "/ops/dead-letters",
  };
}

function outboxAlarm({ services }: MeshSnapshot): Alarm {
  const gauges = services.flatMap((service) => service.gauges);
  const gauge = (wanted: string) => Number(gauges.find(({ name }) => name === wanted)?.value ?? 0n);
  const ageS = gauge("outbox.age_s");
  const pending = gauge("outbox.pending");
  return {
    name: names.outbox,
    value: pending === 0 ? "empty" : `oldest ${formatAge(ageS)}`,
    note: pending === 0 ? "every event is published" : `${formatCount(pending)} events wait`,
    tone: ageS > stuckS ? "bad" : ageS > lateS ? "warn" : "good",
    href: "/ops",
  };
}

function serviceAlarm({ services }: MeshSnapshot): Alarm {
  const ill = services.filter(({ health }) => health !== ServiceHealth.READY);
  return {
    name: names.services,
    value: ill.length === 0 ? `all ${services.length} ready` : `${ill.length} not ready`,
    note:
      ill.length === 0
        ? "no failed check"
        : ill.map((state) => `${state.service}: ${troubleOf(state)}`).join(", "),
    tone: ill.length === 0 ? "good" : "bad",
    href: "/ops",
  };
}

/** What is wrong with a service, in words: "queue unreachable". */
export function troubleOf({ health, failedChecks }: ServiceState): string {
  const words = failedChecks.map((check) => checkWords[check] ?? `check “${check}” fails`);
  return words.join(", ") || healthOf(health).text;
}

/** The readiness checks of the services. */
const checkWords: Readonly<Record<string, string>> = {
  bus: "queue unreachable",
  database: "database unreachable",
  logs: "does not read queue logs",
  orders: "does not read queue orders",
  shipments: "does not read queue shipments",
  statuses: "does not hear statuses",
};

function formatAge(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h`;
}
