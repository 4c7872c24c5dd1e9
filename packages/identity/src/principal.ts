/** Who makes a request, as far as it was proved. */
export type Principal = Anonymous | Customer | Operator | ServicePrincipal;

/** Nobody that is known. */
export interface Anonymous {
  readonly kind: "anonymous";
}

/** A customer of the shop, by an access token. */
export interface Customer {
  readonly kind: "customer";
  /** The token's `sub`: the `user_id` of orders. 1 to 64 characters without control characters. */
  readonly subject: string;
  /** Unix time in milliseconds from which the token is good no more. */
  readonly expiresAtMs: number;
}

/** A person who runs the shop, by an access token with the scope `operator`, or by `OPS_TOKEN`. */
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
