/** The identity of a WebSocket client: by the header `Authorization`, or by a subprotocol, since a browser cannot set headers. */
import type { IncomingMessage } from "node:http";
import type { Access, Principal } from "@smartcart/identity";
import { anonymous } from "@smartcart/identity";

/** The identity of a client. Histories are read with its own token, so that the order service decides what it may see. */
export interface ClientIdentity {
  readonly principal: Principal;
  /** Header of the calls that are made for it; undefined: it has no token. */
  readonly authorization: string | undefined;
  /** Where it comes from, as its connections are counted; "" until the socket server has set it. */
  readonly address: string;
}

/** A client without a token, before its address is known. */
export const anonymousClient: ClientIdentity = {
  principal: anonymous,
  authorization: undefined,
  address: "",
};

/** The subprotocol that the hub speaks; a token goes beside it, as `smartcart.bearer.<token>`. */
const subprotocol = "smartcart";
const bearerPrefix = "smartcart.bearer.";

/**
 * Identifies a client. Synchronous where it has no token, or one that is known already.
 * @throws TokenError, KeysUnavailableError where its token proves nothing.
 */
export function identify(
  request: IncomingMessage,
  { authenticate }: Access,
): ClientIdentity | Promise<ClientIdentity> {
  const authorization = authorizationOf(request);
  if (authorization === undefined || authenticate === undefined) return anonymousClient;
  const principal = authenticate(authorization);
  if (!(principal instanceof Promise)) return { ...anonymousClient, principal, authorization };
  return principal.then((known) => ({ ...anonymousClient, principal: known, authorization }));
}

function authorizationOf({ headers }: IncomingMessage): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization;
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim()) ?? [];
  const bearer = offered.find((name) => name.startsWith(bearerPrefix));
  return bearer === undefined ? undefined : `Bearer ${bearer.slice(bearerPrefix.length)}`;
}

/** The subprotocol that is agreed on: ours, else the first one that is no token, which must not be sent back. */
export function selectSubprotocol(offered: ReadonlySet<string>): string | false {
  if (offered.has(subprotocol)) return subprotocol;
  return [...offered].find((name) => !name.startsWith(bearerPrefix)) ?? false;
}
