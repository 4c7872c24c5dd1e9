/** Why a bearer token proves nothing. */
export type TokenFault = "malformed" | "expired" | "invalid";

/** A bearer token that proves nothing. Its message may be shown to whoever sent it; it never holds the token. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  readonly fault: TokenFault;

  constructor(fault: TokenFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** The issuer's keys could not be read, so that no token can be judged at the moment. */
export class KeysUnavailableError extends Error {
  override readonly name = "KeysUnavailableError";
}
