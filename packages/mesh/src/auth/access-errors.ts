import { Code } from "@connectrpc/connect";
import { KeysUnavailableError, TokenError } from "@smartcart/identity";
import { DomainError } from "../errors/errors.ts";

const retryAfterMs = 1_000;

/** 401: the method is for customers or operators, and the request has no token. */
export function signInNeeded(): DomainError {
  return new DomainError({
    code: "SIGN_IN_NEEDED",
    rpcCode: Code.Unauthenticated,
    title: "An access token is needed",
    message: "Send an access token: Authorization: Bearer <token>.",
  });
}

/** 401: only services may call the method, and the request has no valid proof of one. */
export function callerUnknown(): DomainError {
  return new DomainError({
    code: "CALLER_UNKNOWN",
    rpcCode: Code.Unauthenticated,
    title: "The caller is not known",
    message:
      "This method is for services of the mesh. Call it with the mesh's own client and secret.",
  });
}

/** 403: a service that proved its name, and that the contract of the method does not list. `allowed` is the list as text. */
export function callerNotAllowed(caller: string, allowed: string): DomainError {
  return new DomainError({
    code: "CALLER_NOT_ALLOWED",
    rpcCode: Code.PermissionDenied,
    title: "The caller is not allowed",
    message: `The service ${caller} may not call this method; its contract allows: ${allowed}.`,
  });
}

/** 403: a valid token, of a customer where only operators may call, or the reverse. `allowed` is the contract's list as text. */
export function wrongPrincipal(kind: "customer" | "operator", allowed: string): DomainError {
  return new DomainError({
    code: "ACCESS_DENIED",
    rpcCode: Code.PermissionDenied,
    title: "Access is denied",
    message: `The token is that of ${kind === "customer" ? "a customer" : "an operator"}, who may not call this method; its contract allows: ${allowed}.`,
  });
}

/** `field` names another customer than the token does. */
export function notYours(field: string): DomainError {
  return new DomainError({
    code: "ACCESS_DENIED",
    rpcCode: Code.PermissionDenied,
    title: "Access is denied",
    message: `${field} names another customer than the access token does. Leave it out, or send the customer's own token.`,
  });
}

/** The error that the caller gets for what authentication threw. Anything unforeseen is returned as it is. */
export function authenticationError(thrown: unknown): unknown {
  if (thrown instanceof TokenError) {
    return new DomainError({
      code: thrown.fault === "expired" ? "TOKEN_EXPIRED" : "TOKEN_INVALID",
      rpcCode: Code.Unauthenticated,
      title:
        thrown.fault === "expired"
          ? "The access token has expired"
          : "The access token is not accepted",
      message: `${thrown.message} Sign in again, and send the new token.`,
      cause: thrown,
    });
  }
  if (thrown instanceof KeysUnavailableError) {
    return new DomainError({
      code: "SIGN_IN_UNAVAILABLE",
      rpcCode: Code.Unavailable,
      title: "Access tokens cannot be verified at the moment",
      message: "The keys of the issuer cannot be read. Try again after the time stated.",
      retryAfterMs,
      cause: thrown,
    });
  }
  return thrown;
}
