/**
 * Fails where a field of the contract holds personal data or a secret by its name or type and lacks `debug_redact`, or lost it since the
 * released contract (`baseline/`): `node scripts/check-redaction.ts [root]`.
 */
import { isRedacted, redactionFaults } from "@smartcart/contract";
import { readContracts } from "./contracts.ts";

const { contract, released } = readContracts(process.argv[2]);
const faults = redactionFaults(contract, released);
for (const fault of faults) console.error(fault);
const marked = [...contract].flatMap((type) =>
  type.kind === "message" ? type.fields.filter(isRedacted) : [],
).length;
console.log(`redaction: ${marked} fields marked, ${faults.length} faults`);
process.exitCode = marked > 0 && faults.length === 0 ? 0 : 1;
