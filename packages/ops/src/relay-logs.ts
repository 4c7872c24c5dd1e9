import type { Client, HandlerContext } from "@connectrpc/connect";
import type { LogService, TailLogsRequest } from "@smartcart/gen/log/v1/log_service_pb";

/**
 * The log service's tail, served here as well, so that the console has all its streams on one connection. It is read with
 * the operator's own token: the log service decides what they may see.
 */
export function relayLogs(logs: Pick<Client<typeof LogService>, "tailLogs">) {
  return async function* tailLogs(
    request: TailLogsRequest,
    { signal, requestHeader }: HandlerContext,
  ) {
    const authorization = requestHeader.get("authorization");
    const headers = authorization === null ? {} : { authorization };
    yield* logs.tailLogs(request, { signal, headers });
  };
}
