/** Restricts customers to their own data: checks the fields of a request that the contract ties to the token's subject. */
import type { DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Interceptor } from "@connectrpc/connect";
import type { CustomerRule } from "@smartcart/contract";
import { accessOf } from "@smartcart/contract";
import type { Customer } from "@smartcart/identity";
import { notYours } from "./access-errors.ts";
import { principalKey } from "./authentication.ts";

/** Finds the owner of a resource. */
export interface ResourceOwner {
  /** The customer that it belongs to; undefined: there is no such resource. */
  readonly ownerOf: (id: string) => Promise<string | undefined>;
  /** The service's own error for a resource that does not exist. A resource of another customer gets the same, so that ids reveal nothing. */
  readonly notFound: (id: string) => Error;
}

/** By the request's field that names the resource: "order_id". */
export type ResourceOwners = Readonly<Record<string, ResourceOwner>>;

/** @throws Error where a method is for the owner of a resource, and `owners` has no entry for that resource */
export function assertOwnersKnown(services: readonly DescService[], owners: ResourceOwners): void {
  for (const method of services.flatMap(({ methods }) => methods)) {
    const field = accessOf(method).customer?.resource?.name;
    if (field === undefined || owners[field] !== undefined) continue;
    throw new Error(
      `${method.parent.typeName}/${method.name}: no owner is known for ${field}; see ServerOptions.owners`,
    );
  }
}

/** Before validation: a field that names the customer is filled with the token's subject where it is empty. */
export const ownSubject: Interceptor = forCustomers((rule, customer, input, message) => {
  if (rule.subject === undefined) return undefined;
  const fields = reflect(input, message);
  const named = fields.get(rule.subject);
  if (named === "") fields.set(rule.subject, customer.subject);
  else if (named !== customer.subject) throw notYours(rule.subject.jsonName);
  return undefined;
});

/** After validation: a resource of another customer is answered as if it did not exist. */
export function createResourceCheck(owners: ResourceOwners): Interceptor {
  return forCustomers(async (rule, customer, input, message) => {
    const { resource } = rule;
    if (resource === undefined) return;
    const id = String(reflect(input, message).get(resource));
    const owner = owners[resource.name];
    if (owner === undefined) throw new Error(`no owner is known for ${resource.name}`);
    const ownedBy = await owner.ownerOf(id);
    if (ownedBy !== undefined && ownedBy !== customer.subject) throw owner.notFound(id);
  });
}

type Check = (
  rule: CustomerRule,
  customer: Customer,
  input: DescMessage,
  message: Message,
) => undefined | Promise<void>;

/** Runs a check on every message of a call that a customer makes. */
function forCustomers(check: Check): Interceptor {
  return (next) => (req) => {
    const principal = req.contextValues.get(principalKey);
    if (principal.kind !== "customer") return next(req);
    const { customer } = accessOf(req.method);
    if (customer === undefined) return next(req);
    const { input } = req.method;
    if (req.stream) {
      return next({
        ...req,
        message: checked(req.message, (message) => check(customer, principal, input, message)),
      });
    }
    const checking = check(customer, principal, input, req.message);
    return checking === undefined ? next(req) : checking.then(() => next(req));
  };
}

async function* checked<M extends Message>(
  messages: AsyncIterable<M>,
  check: (message: M) => void | Promise<void>,
) {
  for await (const message of messages) {
    await check(message);
    yield message;
  }
}
