import type { StartFault } from "@smartcart/runtime";
import { networkFaults } from "@smartcart/runtime";

const login = "correct the user and password";
const tls =
  "the server does not offer TLS: use its TLS port, or connect without TLS (sslmode=disable)";

/** Errors of connecting to PostgreSQL or a pooler at start, and for each whether waiting helps; by message where poolers have no codes. */
export const postgresFaults: readonly StartFault[] = [
  {
    message: /unsupported startup parameter/,
    remedy:
      "a pooler between does not take it: remove it from DATABASE_URL, or tell the pooler to ignore it",
  },
  { message: /no such database/, remedy: "create it" },
  { message: /no such user|SASL authentication failed/, remedy: login },
  {
    message: /statement pooling mode/,
    remedy: "set the pooler to session mode (pool_mode = session)",
  },
  { message: /max clients reached|no more connections allowed/ },
  {
    message: /pg_hba\.conf/,
    remedy: "allow this user, database and address there, with the encryption that is used",
  },
  { message: /no PostgreSQL user name/, remedy: "name a user in the URL" },
  { message: /role ".*" does not exist/, remedy: "create it, or name another user in the URL" },
  { code: /^28/, remedy: login },
  { message: /^SASL: .*client password must be/, remedy: "give the password in the URL" },
  { message: /^SASL/, remedy: login },
  { code: "3D000", remedy: "create it" },
  {
    code: "42501",
    remedy: "grant the user in DATABASE_URL what it lacks, for example: grant create on database …",
  },
  { message: /does not support SSL connections|establishing an SSL connection/, remedy: tls },
  // The server starts, stops or recovers; it has no connection, memory or disk left; it is a standby for now; a lock or a
  // statement took too long; two transactions met.
  { code: /^(08...|53...|57...|25006|55P03|40001|40P01)$/ },
  {
    message:
      /^Connection terminated|^timeout expired|^Query read timeout|timeout exceeded when trying to connect|Client (has encountered|was closed)|callers wait for a connection/,
  },
  ...networkFaults,
];
