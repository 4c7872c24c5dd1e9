import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { HeldToken } from "../session/held-token.ts";
import { createBearerInterceptor } from "./bearer.ts";

/** A catalogue that lets in who has no token, or the one that is good. */
function openCatalogue(token: string | undefined) {
  const seen: (string | null)[] = [];
  const refused: (string | undefined)[] = [];
  const check = (headers: Headers): void => {
    const authorization = headers.get("authorization");
    seen.push(authorization);
    if (authorization !== null && authorization !== "Bearer good") {
      throw new ConnectError("the token has expired", Code.Unauthenticated);
    }
  };
  const interceptor = createBearerInterceptor({
    current: () => (token === undefined ? undefined : ({ token } as HeldToken)),
    async renew(refusedToken) {
      refused.push(refusedToken);
      return false;
    },
  });
  const transport = createRouterTransport(
    ({ service }) =>
      service(InventoryService, {
        listProducts(_request, { requestHeader }) {
          check(requestHeader);
          return {};
        },
        async *watchStock(_request, { requestHeader }) {
          check(requestHeader);
          yield {};
        },
      }),
    { transport: { interceptors: [interceptor] } },
  );
  const client = createClient(InventoryService, transport);
  const watch = async (): Promise<void> => {
    for await (const _ of client.watchStock({})) return;
  };
  return { list: () => client.listProducts({}), watch, seen, refused };
}

describe.each(["list", "watch"] as const)("%s", (call) => {
  test.each([
    [undefined, null],
    ["good", "Bearer good"],
  ])("with the token %s", async (token, authorization) => {
    const catalogue = openCatalogue(token);
    await catalogue[call]();
    expect(catalogue.seen).toEqual([authorization]);
    expect(catalogue.refused).toEqual([]);
  });

  test("tells the session of a token that is refused", async () => {
    const catalogue = openCatalogue("old");
    await expect(catalogue[call]()).rejects.toThrow("expired");
    expect(catalogue.refused).toEqual(["old"]);
  });
});
