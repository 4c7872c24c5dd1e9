/** Which faults happen when, from the seed alone: the same seed gives the same plan. */
import type { Random } from "../random.ts";
import type { Replicas } from "../system/system-topology.ts";
import { instanceNames, linkNames } from "../system/system-topology.ts";

/** Every kind of fault, with its description for the help text. */
export const faultKinds = {
  "kill-process": "SIGKILL of a process, started again a little later",
  "stop-process": "SIGSTOP of a process, SIGCONT a little later",
  "kill-database": "SIGKILL of every process of PostgreSQL, started again on its data",
  "stop-database": "SIGSTOP of every process of PostgreSQL",
  "kill-broker": "SIGKILL of RabbitMQ, started again on its data",
  "stop-broker": "SIGSTOP of RabbitMQ",
  reset: "answers on a link end in the middle, with a reset",
  "black-hole": "one direction of a link carries nothing",
  "half-open": "the server's end of a link is gone and the client's is not told",
  latency: "a link is slow",
  duplicate: "messages are published again, with their ids",
  reorder:
    "messages are published again in reverse, and taken from a queue and put back behind later ones",
  "terminate-backends": "pg_terminate_backend of half of all sessions",
  lock: "a table is locked exclusively",
  "delete-queue":
    "a queue is deleted: `logs`, or the fan-out queue of a hub; its consumers are cancelled",
  "cancel-consumer":
    "the broker closes the connections of an instance, and with them its consumers",
  alarm: "the broker's memory alarm blocks all that publish",
  poison: "messages that no consumer can handle are put into a queue",
  clock: "a process is started anew with a clock that is an hour off",
} as const;

/** As `--faults` takes them. */
export type FaultKind = keyof typeof faultKinds;

/** One fault of a plan. */
export interface PlannedFault {
  /** From the start of the load, in milliseconds. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly kind: FaultKind;
  /** The process, link, table or queue; "" where there is only one. */
  readonly target: string;
  /** Kind of variation, for kinds that have one: a delay, a direction, a share. */
  readonly variant: number;
}

interface PlanOptions {
  readonly random: Random;
  readonly kinds: readonly FaultKind[];
  /** How long faults are begun, in milliseconds. */
  readonly spanMs: number;
  readonly replicas: Replicas;
}

const tables = [
  "inventory.stock",
  "inventory.reservation",
  "orders.orders",
  "orders.idempotency_keys",
  "orders.outbox",
  "payment.payment",
  "payment_provider.ledger_entry",
  "shipping.shipment",
];

/** Pause between the beginnings of two faults, in milliseconds. */
const pauseMs = { min: 700, max: 2_300 };

/** Goes through all kinds in a random order, again and again, until `spanMs` is over. */
export function createPlan({ random, kinds, spanMs, replicas }: PlanOptions): PlannedFault[] {
  const plan: PlannedFault[] = [];
  let deck: FaultKind[] = [];
  let atMs = random.int(500, 1_500);
  while (atMs < spanMs && kinds.length > 0) {
    if (deck.length === 0) deck = random.shuffle(kinds);
    const kind = deck.pop() as FaultKind;
    const durationMs = durationOf(kind, random);
    const target = targetOf(kind, random, replicas);
    plan.push({ atMs, durationMs, kind, target, variant: random.next() });
    // Every service needs both engines: while one is down, other faults show little.
    const engine = kind === "kill-database" || kind === "kill-broker";
    atMs += random.int(pauseMs.min, pauseMs.max) + (engine ? 2_000 : 0);
  }
  return plan;
}

function durationOf(kind: FaultKind, random: Random): number {
  switch (kind) {
    case "kill-process":
    case "stop-process":
      return random.int(200, 3_000);
    case "kill-database":
    case "kill-broker":
      return random.int(100, 1_500);
    case "stop-database":
    case "stop-broker":
    case "alarm":
      return random.int(500, 3_000);
    case "clock":
      return random.int(4_000, 8_000);
    case "lock":
      return random.int(500, 4_000);
    case "reorder":
      return random.int(300, 1_500);
    case "reset":
    case "black-hole":
    case "half-open":
    case "latency":
      return random.int(500, 6_000);
    case "duplicate":
    case "terminate-backends":
    case "delete-queue":
    case "cancel-consumer":
    case "poison":
      return 0;
  }
}

function targetOf(kind: FaultKind, random: Random, replicas: Replicas): string {
  switch (kind) {
    case "kill-process":
    case "stop-process":
    case "clock":
    case "cancel-consumer":
      return random.pick(instanceNames(replicas));
    case "reset":
    case "black-hole":
    case "half-open":
    case "latency":
      return random.pick(linkNames(replicas));
    case "lock":
      return random.pick(tables);
    case "delete-queue":
      return random.pick(["logs", "status-hub."]);
    case "reorder":
    case "poison":
      return random.pick(["orders", "shipments"]);
    default:
      return "";
  }
}
