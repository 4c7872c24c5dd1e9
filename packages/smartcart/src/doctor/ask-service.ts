import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { get } from "node:http";
import { get as getSecurely } from "node:https";
import { json } from "node:stream/consumers";
import type { TlsFiles, TlsMaterial } from "@smartcart/identity";
import { peerTlsOptions } from "@smartcart/identity";

const timeoutMs = 5_000;

/** Reads JSON from a service. Over TLS, its certificate must be for that service. Rejects without an answer within five seconds. */
export async function askService(
  service: string,
  url: string,
  tls: TlsFiles | undefined,
): Promise<{ readonly isOk: boolean; readonly body: unknown }> {
  const response = await responseOf(open(service, url, tls?.current()));
  const body: unknown = await json(response);
  return { isOk: response.statusCode === 200, body };
}

function open(service: string, url: string, material: TlsMaterial | undefined): ClientRequest {
  const signal = AbortSignal.timeout(timeoutMs);
  if (!url.startsWith("https:")) return get(url, { signal });
  // The page has the certificate for the public only.
  const known = material && (service === "web" ? { ...material, mesh: undefined } : material);
  return getSecurely(url, { signal, agent: false, ...(known && peerTlsOptions(known, service)) });
}

async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}
