export { createLocaleDatabase } from "./locale-database.ts";
export { createTestDatabase } from "./test-database.ts";
