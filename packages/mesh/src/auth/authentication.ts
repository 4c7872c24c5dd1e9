/** Authenticates the caller of each call, and refuses callers that the contract of the method does not allow. */
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type {
  ContextValues,
  HandlerContext,
  Interceptor,
  StreamRequest,
  UnaryRequest,
} from "@connectrpc/connect";
import { createContextKey } from "@connectrpc/connect";
import type { AccessRule } from "@smartcart/contract";
import { accessOf } from "@smartcart/contract";
import type { Authenticator, Principal, ServicePrincipal } from "@smartcart/identity";
import { anonymous } from "@smartcart/identity";
import type { Logger } from "@smartcart/runtime";
import type { Trust } from "./access.ts";
import { refusalOf } from "./access.ts";
import { authenticationError, signInNeeded } from "./access-errors.ts";
import { callerHeader, createCallerCheck } from "./caller-token.ts";
import { isFromThisMachine } from "./this-machine.ts";

/** Context value with the caller of a served call. On public methods only services are authenticated. */
export const principalKey = createContextKey<Principal>(anonymous, { description: "who calls" });

/** Context value with the services that the other end of the connection has proved to be, by its certificate; undefined: none. */
export const peerServicesKey = createContextKey<readonly string[] | undefined>(undefined, {
  description: "services at the other end",
});

/** The operator who makes a served call: the subject of the token, "ops-token" for OPS_TOKEN; empty where none is required. */
export function operatorOf({ values }: Pick<HandlerContext, "values">): string {
  const principal = values.get(principalKey);
  return principal.kind === "operator" ? principal.subject : "";
}

/** How a server authenticates its callers. */
export interface AuthenticationOptions {
  /** By the header `Authorization`; undefined: it is not looked at. */
  readonly authenticate?: Authenticator | undefined;
  readonly identifyService: IdentifyService;
  readonly trust: Trust;
  /** Gets the audit records of what operators do. */
  readonly log: Logger;
}

/** The operator of audit records where calls need no token. */
const thisMachine = "this machine";

/** The audit log: which operator did what, and to which order or product. Calls without side effects are not recorded. */
function recordCall(log: Logger, req: AnyRequest, operator: string): void {
  const { method } = req;
  if (method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) return;
  const name = `${method.parent.typeName}/${method.name}`;
  const { orderId, productId } = namedBy(req);
  const message = `${operator} called ${method.name}${productId ? ` of ${productId}` : ""}`;
  log.info("operator.called", {
    ...{ operator, method: name, message },
    ...(orderId && { orderId }),
    ...(productId && { productId }),
  });
}

/** What a request is about; not a stream, which is not read yet. */
function namedBy(req: AnyRequest): { readonly orderId?: string; readonly productId?: string } {
  return req.stream ? {} : (req.message as ReturnType<typeof namedBy>);
}

/** How services prove their name. */
export interface ServiceIdentificationOptions {
  /** The service that is called: caller tokens must be for it. */
  readonly audience: string;
  /** Verifies caller tokens; undefined: only certificates prove anything. */
  readonly meshSecret?: string | undefined;
}

/** The services that the sender of a call proves to be, by token or certificate; undefined: none. */
export type IdentifyService = (call: {
  readonly header: Headers;
  readonly contextValues: ContextValues;
}) => ServicePrincipal | undefined;

/** Finds the service behind a request: by its caller token, else by its certificate. Undefined where neither proves one. */
export function createServiceIdentification({
  audience,
  meshSecret,
}: ServiceIdentificationOptions): IdentifyService {
  const serviceOf = meshSecret === undefined ? undefined : createCallerCheck(audience, meshSecret);
  return ({ header, contextValues }) => {
    // A token, or the bare name of one of the services that a certificate is for.
    const claimed = header.get(callerHeader);
    const proved = contextValues.get(peerServicesKey);
    if (claimed === null && proved === undefined) return undefined;
    const [claim = ""] = claimed?.split(".", 1) ?? [];
    const byCertificate = proved?.includes(claim) ? claim : proved?.[0];
    const name = (claimed === null ? undefined : serviceOf?.(claimed)) ?? byCertificate;
    return name === undefined ? undefined : { kind: "service", name };
  };
}

type AnyRequest = UnaryRequest | StreamRequest;

/** Refuses what the contract does not allow before any other work. Sets `principalKey` to the caller. */
export function createAuthentication(o: AuthenticationOptions): Interceptor {
  /** A token of a person wins over that of the service that passes it on: then the call is made for that person. */
  function principalOf(req: AnyRequest, isPublic: boolean) {
    const authorization =
      isPublic || o.authenticate === undefined ? null : req.header.get("authorization");
    if (authorization !== null && o.authenticate !== undefined)
      return o.authenticate(authorization);
    return o.identifyService(req) ?? anonymous;
  }

  function admit(req: AnyRequest, rule: AccessRule, principal: Principal): void {
    const refusal = refusalOf(rule, principal, o.trust);
    if (refusal !== undefined) throw refusal;
    const isTrustedOperator = principal.kind === "anonymous" && rule.operator && !rule.customer;
    if (isTrustedOperator && !isFromThisMachine(req.header)) throw signInNeeded();
    // Where services may call as well, the caller may be one: without a secret they send no proof of their name.
    if (isTrustedOperator && rule.services.length === 0) recordCall(o.log, req, thisMachine);
    if (principal.kind === "anonymous") return;
    req.contextValues.set(principalKey, principal);
    if (principal.kind === "operator") recordCall(o.log, req, principal.subject);
  }

  return (next) => (req) => {
    const rule = accessOf(req.method);
    if (rule.isPublic && !req.stream) return next(req);
    try {
      const principal: Principal | Promise<Principal> = principalOf(req, rule.isPublic);
      if (principal instanceof Promise) {
        return principal.then(
          (known) => {
            admit(req, rule, known);
            return next(req);
          },
          (error) => {
            throw authenticationError(error);
          },
        );
      }
      admit(req, rule, principal);
    } catch (error) {
      throw authenticationError(error);
    }
    return next(req);
  };
}
