import { hostName, isLocalName } from "@smartcart/runtime";
import type { NodeRequest, NodeResponse } from "./node-http.ts";

const oneYear = "max-age=31536000";

/**
 * Tells browsers to use TLS only from now on (RFC 6797). Not for the names of this machine: the rule holds for all ports of a name,
 * and would break whatever else is developed there.
 */
export function demandTls(req: NodeRequest, res: NodeResponse): void {
  const host = req.headers[":authority"] ?? req.headers.host ?? "";
  if (isLocalName(hostName(String(host)) ?? "localhost")) return;
  res.setHeader("strict-transport-security", oneYear);
}
