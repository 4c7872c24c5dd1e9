/** Which service is at the other end of a connection, by the certificate that it showed. */
import type { TLSSocket } from "node:tls";
import { servicesIn } from "@smartcart/identity";
import type { NodeRequest } from "./node-http.ts";

/** What a connection has proved. */
export interface PeerServices {
  /** Most have one. */
  readonly services: readonly string[];
  /** Unix time in milliseconds from which the certificate is good no more, also on a connection that is open. */
  readonly validUntilMs: number;
}

/** By the socket, and of HTTP/2 by the session too. */
const proved = new WeakMap<object, PeerServices>();

/** Remembers what the other end has proved. @returns why its certificate is not accepted; undefined where it is, or has shown none. */
export function noteCaller(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  if (!socket.authorized) return String(socket.authorizationError);
  const services = servicesIn(certificate);
  if (services.length === 0) return "it is for no service";
  proved.set(socket, { services, validUntilMs: certificate.validToDate.getTime() });
  return undefined;
}

/** What was proved on the socket holds for the session on it. */
export function inheritCaller(session: object, socket: object): void {
  const known = proved.get(socket);
  if (known !== undefined) proved.set(session, known);
}

/** Which services the sender of a request has proved to be; undefined: none, or its certificate has expired meanwhile. */
export function callersOf(req: NodeRequest): readonly string[] | undefined {
  const connection = "stream" in req ? req.stream.session : req.socket;
  const known = connection && proved.get(connection);
  return known !== undefined && Date.now() < known.validUntilMs ? known.services : undefined;
}
