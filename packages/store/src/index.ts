export type { CoalescerOptions } from "./coalescer.ts";
export { createCoalescer } from "./coalescer.ts";
export type { Database, DatabaseOptions, Queryable, Statement } from "./database.ts";
export { createDatabase, forCall, queryableOn } from "./database.ts";
export { databaseIdentity } from "./database-identity.ts";
export type { MigrationSet } from "./migrate.ts";
export { MigrationError, migrate } from "./migrate.ts";
export { postgresFaults } from "./postgres-faults.ts";
export { hex, recordSet } from "./record-set.ts";
export type { DatabaseServer } from "./server.ts";
export { openDatabaseServer } from "./server.ts";
export type { ServiceRole, TableRight } from "./service-roles.ts";
export { createServiceRoles, grantTables } from "./service-roles.ts";
export {
  constraintOf,
  isCheckViolation,
  isConnectionError,
  isUniqueViolation,
  sqlStateOf,
} from "./sql-errors.ts";
export { TransactionError, withTransaction } from "./transaction.ts";
