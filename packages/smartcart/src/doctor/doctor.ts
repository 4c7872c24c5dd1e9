/** The checks of `smartcart doctor`: what is wrong in a running SmartCart and what to do, and the repair of what can be repaired. */
import type { EventBus } from "@smartcart/bus";
import { queueTypes } from "@smartcart/contract";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { createServiceClient } from "@smartcart/mesh";
import type { Finding } from "@smartcart/reconciler";
import { createInvariants, createReconciler } from "@smartcart/reconciler";
import { reasonOf } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import type { Attached } from "../attach/attach.ts";
import { certificateProblem } from "../cli/certificate-problem.ts";
import { askService } from "./ask-service.ts";

interface DoctorOptions {
  /** Repair what can be repaired, by calls to the services. */
  readonly reconcile: boolean;
  /** How long a contradiction has to stand before it counts, in milliseconds. */
  readonly patienceMs: number;
}

/** What a diagnosis found. Also the JSON document of `doctor --json`. */
export interface Diagnosis {
  /** Every check passed, or does after repairs. */
  readonly healthy: boolean;
  readonly checks: readonly Check[];
  /** The violated invariants, with the outcome of their repairs. */
  readonly violations: readonly Violation[];
}

/** The database, the queue, a service, or all invariants together. */
interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found and, where it is not as it should be, what to do. */
  readonly message: string;
}

interface Violation {
  readonly invariant: string;
  readonly description: string;
  /** What `doctor --reconcile` does for each row. Absent: requires an operator. */
  readonly repair?: string;
  readonly rows: Finding["rows"];
  /** One per row, in the same order; empty without `--reconcile`. */
  readonly repairs: Finding["repairs"];
}

/** How long an order may be on its way before it counts as stuck. */
const settleMs = 60_000;
const shownRows = 10;

export async function runDoctor(attached: Attached, o: DoctorOptions): Promise<Diagnosis> {
  await using opened = new AsyncDisposableStack();
  const { databaseUrl: url, log } = attached;
  const database = opened.use(createDatabase({ url, schema: "public", log, maxConnections: 2 }));
  const { check, findings } = await checkInvariants(attached, database, o);
  const checks = [
    await checkDatabase(database),
    await checkQueue(attached.bus),
    ...(await Promise.all(
      Object.entries(attached.urls).map((service) => checkService(service, attached)),
    )),
    check,
  ];
  return {
    healthy: checks.every(({ ok }) => ok),
    checks,
    violations: findings.map(({ invariant: { name, description, repair }, rows, repairs }) => ({
      invariant: name,
      description,
      ...(repair !== undefined && { repair }),
      rows,
      repairs,
    })),
  };
}

/** A crash of the machine must lose nothing that was acknowledged. */
async function checkDatabase(database: Database): Promise<Check> {
  const { rows } = await database.query<{ name: string; setting: string }>({
    text: `select name, setting from pg_settings
      where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name`,
  });
  const off = rows.filter(({ setting }) => setting === "off").map(({ name }) => name);
  const version = await database.query<{ server_version: string }>({ text: "show server_version" });
  const name = `PostgreSQL ${version.rows[0]?.server_version}`;
  return {
    name: "database",
    ok: off.length === 0,
    message:
      off.length === 0
        ? `${name}, durable: ${rows.map(({ name, setting }) => `${name} ${setting}`).join(", ")}`
        : `${name}, but ${off.join(" and ")} off: acknowledged data can be lost in a crash of the machine; switch it on`,
  };
}

async function checkQueue(bus: EventBus): Promise<Check> {
  const engine = bus.engine === "rabbitmq" ? "RabbitMQ" : "on PostgreSQL";
  try {
    await bus.check();
  } catch (error) {
    return { name: "queue", ok: false, message: `${engine}, not reachable: ${reasonOf(error)}` };
  }
  const queues = [...queueTypes.values()].filter(({ deadLetter }) => deadLetter);
  const counts = await Promise.all(
    queues.map(async ({ name }) => ({ name, count: await bus.deadLetters(name).count() })),
  );
  const dead = counts.filter(({ count }) => count > 0);
  const told = dead.map(({ name, count }) => `${count} in ${name}.dlq`).join(", ");
  return {
    name: "queue",
    ok: dead.length === 0,
    message:
      dead.length === 0
        ? `${engine}, no dead letters`
        : `${engine}, dead letters: ${told}; "smartcart dlq list" shows the reasons, "smartcart dlq redrive" retries them`,
  };
}

async function checkService(
  [name, url]: readonly [string, string],
  { tls }: Attached,
): Promise<Check> {
  try {
    const { isOk, body } = await askService(name, `${url}/readyz`, tls);
    const report = body as { status: string; checks: Record<string, string> };
    const failed = Object.keys(report.checks ?? {}).filter(
      (check) => report.checks[check] !== "ok",
    );
    const why = failed.length > 0 ? `: ${failed.join(", ")} failed` : "";
    return { name, ok: isOk, message: `${report.status} at ${url}${why}` };
  } catch (error) {
    return {
      name,
      ok: false,
      message: `does not respond at ${url}: ${certificateProblem(error) ?? reasonOf(error)}`,
    };
  }
}

async function checkInvariants(
  attached: Attached,
  database: Database,
  { reconcile, patienceMs }: DoctorOptions,
): Promise<{ check: Check; findings: readonly Finding[] }> {
  await using opened = new AsyncDisposableStack();
  const { log, meshSecret, tls, urls } = attached;
  const peer = (name: string) => ({
    caller: "reconciler",
    log,
    meshSecret,
    tls,
    baseUrl: urls[name] ?? "",
  });
  const invariants = createInvariants({ settleMs: settleMs });
  const reconciler = createReconciler({
    database,
    invariants,
    log,
    check: { patienceMs },
    peers: {
      inventory: opened.use(createServiceClient(InventoryService, peer("inventory"))),
      payment: opened.use(createServiceClient(PaymentService, peer("payment"))),
    },
  });
  const findings = await (reconcile ? reconciler.reconcile() : reconciler.report());
  const left = findings.filter((finding) => !isRepaired(finding)).length;
  const kept = invariants.length - findings.length;
  return {
    check: {
      name: "invariants",
      ok: left === 0,
      message: `${kept} of ${invariants.length} hold${findings.length > left ? `, ${findings.length - left} repaired` : ""}`,
    },
    findings,
  };
}

function isRepaired({ rows, repairs }: Finding): boolean {
  return repairs.length === rows.length && repairs.every(({ problem }) => problem === undefined);
}

const width = 12;

/** The diagnosis for people. */
export function describeDiagnosis({ checks, violations }: Diagnosis): string {
  const lines = checks.map(
    ({ name, ok, message }) => `${ok ? "ok  " : "BAD "} ${name.padEnd(width)} ${message}`,
  );
  return `${[...lines, ...violations.map(describeViolation)].join("\n")}\n`;
}

function describeViolation({ invariant, description, repair, rows, repairs }: Violation): string {
  const lines = [`\n${invariant}: ${rows.length}`, `  ${description}`];
  for (const [index, row] of rows.slice(0, shownRows).entries()) {
    const columns = Object.entries(row).map(([name, value]) => `${name}=${textOf(value)}`);
    const done = repairs[index];
    const outcome = done && ` → ${done.repair}: ${done.problem ?? "done"}`;
    lines.push(`  ${columns.join(" ")}${outcome ?? ""}`);
  }
  if (rows.length > shownRows) lines.push(`  and ${rows.length - shownRows} more`);
  if (repair === undefined) {
    lines.push("  requires an operator: read the history of the orders and the central log");
  } else if (repairs.length === 0) {
    lines.push(`  "smartcart doctor --reconcile" repairs it: one ${repair} per row`);
  }
  return lines.join("\n");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
