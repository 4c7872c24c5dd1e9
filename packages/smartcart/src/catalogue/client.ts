/** Calls the catalogue's administration of a running SmartCart as an operator. */
import type { CallOptions } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { ServiceClient } from "@smartcart/mesh";
import { createServiceClient } from "@smartcart/mesh";
import { createLogger } from "@smartcart/runtime";
import { findTls, findUrls } from "../attach/attach.ts";
import { certificateProblem } from "../cli/certificate-problem.ts";
import { CommandError } from "../cli/command.ts";
import { parseSmartCartConfig } from "../config.ts";

/** The catalogue as an operator reaches it. */
export interface Catalogue {
  readonly client: ServiceClient<typeof CatalogueAdminService>;
  /** Options of every call: the operator's token. */
  readonly options: CallOptions;
}

/**
 * Runs `work` on the catalogue. It is found by INVENTORY_URL, else by the state folder, else on its port. OPS_TOKEN is sent where it is set.
 * @throws CommandError with what the service said, or that it does not run
 */
export async function onCatalogue<T>(
  env: NodeJS.ProcessEnv,
  work: (catalogue: Catalogue) => Promise<T>,
): Promise<T> {
  const { OPS_TOKEN } = parseSmartCartConfig(env);
  const { inventory: baseUrl = "" } = await findUrls(env);
  const log = createLogger({ service: "smartcart", level: "error" });
  await using tls = await findTls(env, log);
  const o = { caller: "smartcart", baseUrl, log, tls };
  using client = createServiceClient(CatalogueAdminService, o);
  const headers = OPS_TOKEN === undefined ? {} : { authorization: `Bearer ${OPS_TOKEN}` };
  try {
    return await work({ client, options: { headers } });
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    throw new CommandError(explain(error, baseUrl), { cause: error });
  }
}

function explain(error: ConnectError, baseUrl: string): string {
  const untrusted = certificateProblem(error);
  if (untrusted !== undefined) {
    return `The inventory service at ${baseUrl} cannot be called: ${untrusted}`;
  }
  switch (error.code) {
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return `The inventory service at ${baseUrl} refuses the call: ${error.rawMessage} Set OPS_TOKEN to that of the running SmartCart.`;
    // Where a port that speaks TLS is called without it, the connection is closed.
    case Code.Canceled:
      return `The inventory service at ${baseUrl} closes the connection. If it speaks TLS, set INVENTORY_URL to its https URL.`;
    case Code.Unavailable:
      return `The inventory service at ${baseUrl} does not answer. Start SmartCart, or set INVENTORY_URL or SMARTCART_STATE to the values of the running one.`;
    default:
      return error.rawMessage;
  }
}
