/** `smartcart roles`: a database role and a RabbitMQ user for each service, which may do what the service does and nothing else. */
import { randomBytes } from "node:crypto";
import type { QueueUse } from "@smartcart/bus";
import { createServiceUsers, openBus, outboxMigrations } from "@smartcart/bus";
import type { Logger } from "@smartcart/runtime";
import type { ServiceRole } from "@smartcart/store";
import { createDatabase, createServiceRoles, grantTables, migrate } from "@smartcart/store";

/** What a service needs of the database, and what it does with the queue. */
interface Needs {
  readonly database: Omit<ServiceRole, "role" | "password">;
  readonly queue: QueueUse;
}

const needs: Readonly<Record<string, Needs>> = {
  order: { database: { owns: ["orders"] }, queue: { consumes: ["shipments"] } },
  inventory: { database: { owns: ["inventory"] }, queue: {} },
  payment: { database: { owns: ["payment", "payment_provider"] }, queue: {} },
  shipping: {
    database: { owns: ["shipping"] },
    queue: { consumes: ["orders"], publishes: ["order.shipping_started", "order.shipped"] },
  },
  notification: {
    database: {
      owns: [],
      changes: {
        "orders.outbox": ["select", "update", "delete"],
        "orders.migrations_outbox": ["select"],
      },
    },
    queue: { publishes: ["order.placed", "order.status.#"] },
  },
  "status-hub": { database: { owns: [] }, queue: { hears: "status-hub" } },
  log: { database: { owns: ["log"] }, queue: { consumes: ["logs"] } },
  ops: {
    database: {
      owns: ["ops"],
      reads: ["orders", "inventory", "payment", "payment_provider", "shipping"],
    },
    queue: {
      hears: "ops",
      handlesDeadLetters: true,
      // Edited copies of dead letters.
      publishes: ["order.placed", "order.shipping_started", "order.shipped"],
    },
  },
};

/** Where roles and users are made. */
export interface RolesOptions {
  /** URL of the database's owner, who may create roles. */
  readonly databaseUrl: string;
  /** As an administrator, with the management API. Undefined: the queue is in the database. */
  readonly broker: { readonly amqpUrl: string; readonly managementUrl: string } | undefined;
  /** By service; a service without one gets one that is made. */
  readonly passwords: Readonly<Record<string, string | undefined>>;
  /** The names begin with it: "smartcart" makes "smartcart_order". */
  readonly prefix: string;
  readonly log: Logger;
}

/** The URLs with which a service is started. */
export interface ServiceUrls {
  readonly DATABASE_URL: string;
  readonly AMQP_URL?: string;
}

/** Makes them, or brings those that are there in line. Idempotent. @returns the URLs by service. */
export async function createRoles(o: RolesOptions): Promise<Readonly<Record<string, ServiceUrls>>> {
  const accounts = Object.entries(needs).map(([service, need]) => ({
    service,
    need,
    name: `${o.prefix}_${service.replaceAll("-", "_")}`,
    password: o.passwords[service] ?? randomBytes(18).toString("base64url"),
  }));
  const urls = Object.fromEntries(
    accounts.map(({ service, name: user, password }) => [
      service,
      {
        DATABASE_URL: withAccount(o.databaseUrl, user, password),
        ...(o.broker && { AMQP_URL: withAccount(o.broker.amqpUrl, user, password) }),
      },
    ]),
  );
  const hasQueueInDatabase = o.broker === undefined;
  const roles = accounts.map(({ service, name, password, need: { database } }) => ({
    ...database,
    ...(hasQueueInDatabase && queueSchemaOf(service, database)),
    role: name,
    password,
  }));
  await using database = createDatabase({ url: o.databaseUrl, schema: "public", log: o.log });
  await createServiceRoles(database, roles);
  await migrateShared(urls.order?.DATABASE_URL ?? "", o);
  await grantTables(database, roles);
  if (o.broker) {
    // An administrator declares the topology: the services may not.
    await using _bus = await openBus({ ...o.broker, ...o, name: "roles" });
    const vhost = decodeURIComponent(new URL(o.broker.amqpUrl).pathname.slice(1)) || "/";
    await createServiceUsers(
      { managementUrl: o.broker.managementUrl, vhost },
      accounts.map(({ name, password, need }) => ({ user: name, password, use: need.queue })),
    );
  }
  return urls;
}

/** The queue in the database is everybody's; the order service keeps its tables up to date. */
function queueSchemaOf(service: string, { owns }: Needs["database"]) {
  return service === "order" ? { owns: [...owns, "queue"] } : { shares: ["queue"] };
}

/** The tables that others have rights on, made by their owner. */
async function migrateShared(url: string, { broker, log }: RolesOptions): Promise<void> {
  await using orders = createDatabase({ url, schema: "orders", log });
  await migrate(orders, outboxMigrations);
  if (broker !== undefined) return;
  await using _bus = await openBus({ databaseUrl: url, name: "roles", log });
}

function withAccount(text: string, user: string, password: string): string {
  const url = new URL(text);
  url.username = user;
  url.password = password;
  return url.href;
}
