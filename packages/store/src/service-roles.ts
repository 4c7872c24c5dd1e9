/** A role for each service, which reaches its own schemas and nothing else of the database. */
import type { Database } from "./database.ts";
import { assertIdentifier } from "./database.ts";

/** What a service may do in the database. */
export interface ServiceRole {
  /** Name of the role: "smartcart_order". */
  readonly role: string;
  readonly password: string;
  /** Schemas that it owns: it makes and changes what is in them. */
  readonly owns: readonly string[];
  /** Schemas of other roles that it reads. Default: none. */
  readonly reads?: readonly string[];
  /** Schemas of other roles in which it uses every table, sequence and function. Default: none. */
  readonly shares?: readonly string[];
  /** Tables of other roles that it changes, "orders.outbox", and what it does with them. They must exist. Default: none. */
  readonly changes?: Readonly<Record<string, readonly TableRight[]>>;
}

/** What may be done with a table. */
export type TableRight = "select" | "insert" | "update" | "delete";

/**
 * Creates the roles and their schemas, or updates those that exist: passwords, owners, rights. The owner of a schema becomes the owner
 * of everything in it. All other roles lose the right to connect to the database. Idempotent; to be called by the owner of the
 * database, which needs the right to create roles.
 */
export async function createServiceRoles(
  database: Database,
  roles: readonly ServiceRole[],
): Promise<void> {
  const run = (text: string) => database.query({ text });
  const { rows } = await database.query<{ name: string }>({
    text: "select quote_ident(current_database()) as name",
  });
  const name = rows[0]?.name ?? "";
  await run(`revoke all on database ${name} from public`);
  for (const { role, password } of roles) {
    await createRole(database, role, password);
    await run(`grant connect on database ${name} to ${role}`);
  }
  for (const { role, owns } of roles) {
    for (const schema of owns) await giveSchema(database, schema, role);
  }
  const ownerOf = new Map(roles.flatMap(({ role, owns }) => owns.map((one) => [one, role])));
  /** On what is there, and on what its owner makes from now on. */
  const share = async (schema: string, role: string, rights: string, kind: string) => {
    const owner = `for role ${ownerOf.get(schema)} in schema ${schema}`;
    await run(`grant usage on schema ${schema} to ${role}`);
    await run(`grant ${rights} on all ${kind} in schema ${schema} to ${role}`);
    await run(`alter default privileges ${owner} grant ${rights} on ${kind} to ${role}`);
  };
  for (const { role, reads = [], shares = [] } of roles) {
    for (const schema of reads) await share(schema, role, "select", "tables");
    for (const schema of shares) {
      await share(schema, role, "select, insert, update, delete", "tables");
      await share(schema, role, "usage, select, update", "sequences");
    }
  }
}

/** Grants `changes`, once the tables exist. Idempotent. */
export async function grantTables(
  database: Database,
  roles: readonly ServiceRole[],
): Promise<void> {
  for (const { role, changes = {} } of roles) {
    for (const [table, rights] of Object.entries(changes)) {
      const [schema] = table.split(".");
      await database.query({ text: `grant usage on schema ${schema} to ${role}` });
      await database.query({ text: `grant ${rights.join(", ")} on ${table} to ${role}` });
    }
  }
}

async function createRole(database: Database, role: string, password: string): Promise<void> {
  assertIdentifier(role);
  const { rowCount } = await database.query({
    text: "select from pg_roles where rolname = $1",
    values: [role],
  });
  if (rowCount === 0) await database.query({ text: `create role ${role}` });
  const { rows } = await database.query<{ statement: string }>({
    text: `select format('alter role ${role} login password %L', $1::text) as statement`,
    values: [password],
  });
  await database.query({ text: rows[0]?.statement ?? "" });
  // A role that is no superuser must be a member of the role to give it ownership.
  await database.query({ text: `grant ${role} to current_user` });
}

async function giveSchema(database: Database, schema: string, role: string): Promise<void> {
  assertIdentifier(schema);
  await database.query({ text: `create schema if not exists ${schema}` });
  await database.query({ text: `alter schema ${schema} owner to ${role}` });
  const { rows } = await database.query<{ statement: string }>({
    text: ownedBySchema,
    values: [schema, role],
  });
  for (const { statement } of rows) await database.query({ text: statement });
}

/** Sequences of identity columns go with their tables. */
const ownedBySchema = `
  select format('alter table %s owner to %I', c.oid::regclass, $2::text) as statement
    from pg_class c
   where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i') and c.relkind = 'S')
  union all
  select format('alter routine %s owner to %I', p.oid::regprocedure, $2::text)
    from pg_proc p where p.pronamespace = $1::regnamespace`;
