/** The authenticated sender of a request. */
export type Principal = Anonymous | Customer | Operator | ServicePrincipal;

/** A sender without credentials. */
export interface Anonymous {
  readonly kind: "anonymous";
}

/** A customer of the shop, by an access token. */
export interface Customer {
  readonly kind: "customer";
  /** The token's `sub`: the `user_id` of orders. 1 to 64 characters without control characters. */
  readonly subject: string;
  /** Unix time in milliseconds at which the token expires. */
  readonly expiresAtMs: number;
}

/** An operator of the shop, by an access token with the scope `operator`, or by `OPS_TOKEN`. */
export interface Operator {
  readonly kind: "operator";
  /** The token's `sub`; "ops-token" for the bearer of `OPS_TOKEN`. */
  readonly subject: string;
  readonly expiresAtMs: number;
}

/** A service of the mesh, by its caller token. */
export interface ServicePrincipal {
  readonly kind: "service";
  /** "order". */
  readonly name: string;
}

export const anonymous: Anonymous = { kind: "anonymous" };
