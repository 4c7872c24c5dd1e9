/** `smartcart doctor`: looks a running SmartCart over, says what is wrong and how to go on, and repairs what can be repaired. */
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
import { askPart } from "./ask-part.ts";
import type { Attached } from "./attach.ts";

export interface DoctorOptions {
  /** Repair what can be repaired, by calls to the services. */
  readonly reconcile: boolean;
  /** How long a contradiction has to stand before it counts, in milliseconds. */
  readonly patienceMs: number;
}

export interface Diagnosis {
  /** For people. */
  readonly text: string;
  /** Nothing is wrong, or nothing is any more. */
  readonly healthy: boolean;
}

/** One line of the diagnosis, and whether it is as it should be. */
interface Item {
  readonly what: string;
  readonly says: string;
  readonly well: boolean;
}

/** How long an order may be on its way before it counts as stuck. */
const SETTLE_MS = 60_000;
const SHOWN_ROWS = 10;

export async function runDoctor(attached: Attached, o: DoctorOptions): Promise<Diagnosis> {
  await using opened = new AsyncDisposableStack();
  const { databaseUrl: url, log } = attached;
  const database = opened.use(createDatabase({ url, schema: "public", log, maxConnections: 2 }));
  const items = [
    await lookAtDatabase(database),
    await lookAtQueue(attached.bus),
    ...(await Promise.all(Object.entries(attached.urls).map((part) => lookAtPart(part, attached)))),
  ];
  const { item, findings } = await lookAtPromises(attached, database, o);
  const all = [...items, item];
  const text = [...all.map(shown), ...findings.map((finding) => described(finding, o))].join("\n");
  return { text: `${text}\n`, healthy: all.every(({ well }) => well) };
}

/** A crash of the machine must lose nothing that was acknowledged. */
async function lookAtDatabase(database: Database): Promise<Item> {
  const { rows } = await database.query<{ name: string; setting: string }>({
    text: `select name, setting from pg_settings
      where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name`,
  });
  const off = rows.filter(({ setting }) => setting === "off").map(({ name }) => name);
  const version = await database.query<{ server_version: string }>({ text: "show server_version" });
  const name = `PostgreSQL ${version.rows[0]?.server_version}`;
  return {
    what: "database",
    well: off.length === 0,
    says:
      off.length === 0
        ? `${name}, durable: ${rows.map(({ name, setting }) => `${name} ${setting}`).join(", ")}`
        : `${name}, but ${off.join(" and ")} off: acknowledged data can be lost in a crash of the machine; switch it on`,
  };
}

async function lookAtQueue(bus: EventBus): Promise<Item> {
  const engine = bus.engine === "rabbitmq" ? "RabbitMQ" : "on PostgreSQL";
  try {
    await bus.check();
  } catch (error) {
    return { what: "queue", well: false, says: `${engine}, not reachable: ${reasonOf(error)}` };
  }
  const queues = [...queueTypes.values()].filter(({ deadLetter }) => deadLetter);
  const counts = await Promise.all(
    queues.map(async ({ name }) => ({ name, count: await bus.deadLetters(name).count() })),
  );
  const dead = counts.filter(({ count }) => count > 0);
  const told = dead.map(({ name, count }) => `${count} in ${name}.dlq`).join(", ");
  return {
    what: "queue",
    well: dead.length === 0,
    says:
      dead.length === 0
        ? `${engine}, no dead letters`
        : `${engine}, dead letters: ${told}; "smartcart dlq list" shows the reasons, "smartcart dlq redrive" retries them`,
  };
}

async function lookAtPart(
  [what, url]: readonly [string, string],
  { tls }: Attached,
): Promise<Item> {
  try {
    const response = await askPart(what, `${url}/readyz`, tls);
    const report = response.body as { status: string; checks: Record<string, string> };
    const failed = Object.keys(report.checks ?? {}).filter((name) => report.checks[name] !== "ok");
    const why = failed.length > 0 ? `: ${failed.join(", ")} failed` : "";
    return { what, well: response.isOk, says: `${report.status} at ${url}${why}` };
  } catch (error) {
    return { what, well: false, says: `does not respond at ${url}: ${reasonOf(error)}` };
  }
}

async function lookAtPromises(
  attached: Attached,
  database: Database,
  { reconcile, patienceMs }: DoctorOptions,
): Promise<{ item: Item; findings: readonly Finding[] }> {
  await using opened = new AsyncDisposableStack();
  const { log, meshSecret, tls, urls } = attached;
  const peer = (name: string) => ({
    caller: "reconciler",
    log,
    meshSecret,
    tls,
    baseUrl: urls[name] ?? "",
  });
  const invariants = createInvariants({ settleMs: SETTLE_MS });
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
    item: {
      what: "invariants",
      well: left === 0,
      says: `${kept} of ${invariants.length} hold${findings.length > left ? `, ${findings.length - left} repaired` : ""}`,
    },
    findings,
  };
}

function isRepaired({ rows, repairs }: Finding): boolean {
  return repairs.length === rows.length && repairs.every(({ problem }) => problem === undefined);
}

const WIDTH = 12;

function shown({ what, says, well }: Item): string {
  return `${well ? "ok  " : "BAD "} ${what.padEnd(WIDTH)} ${says}`;
}

function described({ invariant, rows, repairs }: Finding, { reconcile }: DoctorOptions): string {
  const lines = [`\n${invariant.name}: ${rows.length}`, `  ${invariant.description}`];
  for (const [index, row] of rows.slice(0, SHOWN_ROWS).entries()) {
    const columns = Object.entries(row).map(([name, value]) => `${name}=${textOf(value)}`);
    const repair = repairs[index];
    const outcome = repair && ` → ${repair.repair}: ${repair.problem ?? "done"}`;
    lines.push(`  ${columns.join(" ")}${outcome ?? ""}`);
  }
  if (rows.length > SHOWN_ROWS) lines.push(`  and ${rows.length - SHOWN_ROWS} more`);
  if (invariant.repair === undefined) {
    lines.push("  requires an operator: read the history of the orders and the central log");
  } else if (!reconcile) {
    lines.push(`  "smartcart doctor --reconcile" repairs it: one ${invariant.repair} per row`);
  }
  return lines.join("\n");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
