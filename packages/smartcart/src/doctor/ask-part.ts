import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { get } from "node:http";
import { get as getSecurely } from "node:https";
import { json } from "node:stream/consumers";
import type { TlsFiles, TlsMaterial } from "@smartcart/identity";
import { peerTlsOptions } from "@smartcart/identity";

const timeoutMs = 5_000;

/** Reads JSON of a part of the shop, and by TLS only of the right one. Rejects where it does not answer in time. */
export async function askPart(
  part: string,
  url: string,
  tls: TlsFiles | undefined,
): Promise<{ readonly isOk: boolean; readonly body: unknown }> {
  const response = await responseOf(open(part, url, tls?.current()));
  const body: unknown = await json(response);
  return { isOk: response.statusCode === 200, body };
}

function open(part: string, url: string, material: TlsMaterial | undefined): ClientRequest {
  const signal = AbortSignal.timeout(timeoutMs);
  if (!url.startsWith("https:")) return get(url, { signal });
  // The page has the certificate for the public only.
  const known = material && (part === "web" ? { ...material, mesh: undefined } : material);
  return getSecurely(url, { signal, agent: false, ...(known && peerTlsOptions(known, part)) });
}

async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}
