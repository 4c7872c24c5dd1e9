export { skipPgBouncer, startPgBouncer } from "./pgbouncer.ts";
export { createTestDatabase } from "./test-database.ts";
