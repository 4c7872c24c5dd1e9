/**
 * Fails where a method or a frame of the contract does not say who may call it, says what makes no sense, or lets in more than the
 * released contract (`baseline/`) did: `node scripts/check-access.ts [root]`. A rule is weakened on purpose by renewing the baseline.
 */
import type { DescMessage, DescMethod, Registry } from "@bufbuild/protobuf";
import type { AccessRule } from "@smartcart/contract";
import { accessOf, assertBatchAccess, frameAccessOf, weakenings } from "@smartcart/contract";
import { readContracts } from "./contracts.ts";

const { contract, released } = readContracts(process.argv[2]);

const methods = methodsOf(contract);
const frames = framesOf(contract);
const faults = [
  ...methods.flatMap((method) => faultOf(() => accessOf(method))),
  ...methods.flatMap((method) => faultOf(() => assertBatchAccess(method))),
  ...frames.flatMap((frame) => faultOf(() => frameAccessOf(frame))),
  ...methodsOf(released).flatMap((before) => weakened(before)),
  ...framesOf(released).flatMap((before) => weakenedFrame(before)),
];
for (const fault of faults) console.error(fault);
console.log(
  `access: ${methods.length} methods and ${frames.length} frames read, ${faults.length} faults`,
);
process.exitCode = methods.length > 0 && frames.length > 0 && faults.length === 0 ? 0 : 1;

function methodsOf(registry: Registry): DescMethod[] {
  return [...registry].flatMap((type) =>
    type.kind === "service" && type.typeName.startsWith("smartcart.") ? type.methods : [],
  );
}

/** What a frame of a WebSocket's client may hold. */
function framesOf(registry: Registry): DescMessage[] {
  const fields = registry.getMessage("smartcart.status.v1.ClientFrame")?.fields ?? [];
  return [
    ...new Set(fields.flatMap((field) => (field.fieldKind === "message" ? [field.message] : []))),
  ];
}

function faultOf(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** The rule, or undefined where there is none; a fault of today's contract is reported where it is read first. */
function ruleOr(read: () => AccessRule): AccessRule | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function weakened(before: DescMethod): string[] {
  const after = contract
    .getService(before.parent.typeName)
    ?.methods.find(({ name }) => name === before.name);
  if (after === undefined) return [];
  const name = `${before.parent.typeName}/${before.name}`;
  return compare(
    name,
    ruleOr(() => accessOf(before)),
    ruleOr(() => accessOf(after)),
  );
}

function weakenedFrame(before: DescMessage): string[] {
  const after = contract.getMessage(before.typeName);
  if (after === undefined) return [];
  return compare(
    before.typeName,
    ruleOr(() => frameAccessOf(before)),
    ruleOr(() => frameAccessOf(after)),
  );
}

function compare(
  name: string,
  before: AccessRule | undefined,
  after: AccessRule | undefined,
): string[] {
  if (before === undefined || after === undefined) return [];
  return weakenings(before, after).map(
    (what) => `${name}: ${what}, which the released contract does not`,
  );
}
