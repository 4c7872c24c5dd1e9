/** Why a bearer token is rejected. */
export type TokenFault = "malformed" | "expired" | "invalid";

/** A rejected bearer token. Its message may be sent to the client; it never contains the token. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  readonly fault: TokenFault;

  constructor(fault: TokenFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** The issuer's keys could not be read, so that no token can be verified at the moment. */
export class KeysUnavailableError extends Error {
  override readonly name = "KeysUnavailableError";
}
