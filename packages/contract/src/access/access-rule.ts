/** Who may call a method or send a frame, as the contract says (`access` of `smartcart.mesh.v1`). */
import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import type { AccessPolicy } from "@smartcart/gen/mesh/v1/options_pb";
import { frame_access, method as methodOption } from "@smartcart/gen/mesh/v1/options_pb";
import { batchTargets } from "../methods/policy.ts";

/** Each of `customer`, `operator` and `services` admits its principals; `public` admits all callers. */
export interface AccessRule {
  readonly isPublic: boolean;
  readonly customer: CustomerRule | undefined;
  readonly operator: boolean;
  /** Services that may call, by name. */
  readonly services: readonly string[];
}

/** How a request is bound to the customer that sends it; with neither, any customer may call. */
export interface CustomerRule {
  /** Names the customer, and must equal the subject of their token. */
  readonly subject: (DescField & { readonly fieldKind: "scalar" }) | undefined;
  /** Names what belongs to a customer. */
  readonly resource: (DescField & { readonly fieldKind: "scalar" }) | undefined;
}

/** Services that can authenticate. "reconciler" is the repairing part of the operations service and of `smartcart doctor`. */
export const serviceNames: ReadonlySet<string> = new Set([
  "order",
  "inventory",
  "payment",
  "shipping",
  "notification",
  "status-hub",
  "log",
  "ops",
  "reconciler",
]);

const publicAccess: AccessRule = {
  isPublic: true,
  customer: undefined,
  operator: false,
  services: [],
};
const rules = new WeakMap<DescMethod | DescMessage, AccessRule>();

/**
 * The rule of a method, read from its descriptor once. Methods of others (health, reflection) have none and are public.
 * @throws Error where a method of ours has none, or one that makes no sense.
 */
export function accessOf(method: DescMethod): AccessRule {
  return remembered(method, () => {
    const name = `${method.parent.typeName}/${method.name}`;
    if (!method.parent.typeName.startsWith("smartcart.")) return publicAccess;
    const policy = hasOption(method, methodOption)
      ? getOption(method, methodOption).access
      : undefined;
    return ruleOf(name, method.input, policy);
  });
}

/** The rule of what a client's frame holds. @throws Error as `accessOf`. */
export function frameAccessOf(message: DescMessage): AccessRule {
  return remembered(message, () =>
    ruleOf(
      message.typeName,
      message,
      hasOption(message, frame_access) ? getOption(message, frame_access) : undefined,
    ),
  );
}

function remembered(key: DescMethod | DescMessage, read: () => AccessRule): AccessRule {
  const known = rules.get(key);
  if (known !== undefined) return known;
  const rule = read();
  rules.set(key, rule);
  return rule;
}

/**
 * Checks that a batch method has the same rule as the method it carries.
 * @throws Error where they differ.
 */
export function assertBatchAccess(method: DescMethod): void {
  if (!batchTargets(method.parent).has(method.name)) return;
  const single = method.parent.methods.find(
    (one) => getOption(one, methodOption).batch?.method === method.name,
  );
  if (single === undefined) return;
  const [rule, batchRule] = [describeAccess(accessOf(single)), describeAccess(accessOf(method))];
  if (rule === batchRule) return;
  throw new Error(
    `${method.parent.typeName}/${method.name}: access is "${batchRule}", but that of ${single.name}, which it carries, is "${rule}"`,
  );
}

function ruleOf(name: string, input: DescMessage, policy: AccessPolicy | undefined): AccessRule {
  const wrong = (what: string) => new Error(`${name}: (smartcart.mesh.v1) access ${what}`);
  if (policy === undefined) throw wrong("is missing: say who may call it");
  const { public: isPublic, customer, operator, services } = policy;
  const others = customer !== undefined || operator || services.length > 0;
  if (isPublic && others) throw wrong("is public, so that nothing else may be set");
  if (!isPublic && !others)
    throw wrong("admits no caller: set public, customer, operator or services");
  const unknown = services.find((service) => !serviceNames.has(service));
  if (unknown !== undefined) throw wrong(`names "${unknown}", which is no service`);
  const textField = (field: string) => {
    const found = input.fields.find((candidate) => candidate.name === field);
    if (found?.fieldKind === "scalar" && found.scalar === ScalarType.STRING) return found;
    throw wrong(`names "${field}", which is no singular string field of ${input.typeName}`);
  };
  return {
    isPublic,
    customer: customer && {
      subject: customer.subjectField === "" ? undefined : textField(customer.subjectField),
      resource: customer.resourceField === "" ? undefined : textField(customer.resourceField),
    },
    operator,
    services,
  };
}

/** The rule in words: "customer (own user_id), operator, order". */
export function describeAccess({ isPublic, customer, operator, services }: AccessRule): string {
  if (isPublic) return "public";
  return [
    ...(customer ? [describeCustomer(customer)] : []),
    ...(operator ? ["operator"] : []),
    ...services,
  ].join(", ");
}

function describeCustomer({ subject, resource }: CustomerRule): string {
  const fields = [subject, resource].flatMap((field) => (field ? [`own ${field.name}`] : []));
  return fields.length === 0 ? "customer" : `customer (${fields.join(" or ")})`;
}

/** What a later rule allows that an earlier one did not, in words; empty where it is as strict. */
export function weakenings(before: AccessRule, after: AccessRule): string[] {
  if (before.isPublic) return [];
  if (after.isPublic) return ["is public"];
  const added = after.services.filter((service) => !before.services.includes(service));
  return [
    ...(after.operator && !before.operator ? ["lets operators in"] : []),
    ...added.map((service) => `lets the service ${service} in`),
    ...(after.customer ? weakerCustomer(before.customer, after.customer) : []),
  ];
}

function weakerCustomer(before: CustomerRule | undefined, after: CustomerRule): string[] {
  if (before === undefined) return ["lets customers in"];
  return (["subject", "resource"] as const).flatMap((kind) => {
    const [was, is] = [before[kind]?.name, after[kind]?.name];
    return was !== undefined && was !== is
      ? [`no longer asks that ${was} is the customer's own`]
      : [];
  });
}
