/** Which pages of products there are: the page itself is the same for all, and its status must not be. */
import { Code, ConnectError } from "@connectrpc/connect";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { TlsFiles } from "@smartcart/identity";
import { createServiceClient } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { productOf } from "@smartcart/web/proxy-rules";

interface ProductPages extends Disposable {
  /** Whether a path is the page of a product that does not exist. False also where that cannot be told: the page then says so. */
  isMissing(path: string): Promise<boolean>;
}

/** Longest wait for the inventory service before the page is sent, in milliseconds. */
const timeoutMs = 1_000;

/** Asks the inventory service; undefined: there is none. */
export function createProductPages(
  baseUrl: string | undefined,
  log: Logger,
  tls: TlsFiles | undefined,
): ProductPages {
  if (baseUrl === undefined) return { isMissing: async () => false, [Symbol.dispose]() {} };
  const client = createServiceClient(InventoryService, { caller: "web", baseUrl, log, tls });
  return {
    async isMissing(path) {
      const productId = decoded(productOf(path));
      if (productId === undefined) return false;
      try {
        await client.getProduct({ productId }, { timeoutMs });
        return false;
      } catch (error) {
        const { code } = ConnectError.from(error);
        return code === Code.NotFound || code === Code.InvalidArgument;
      }
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** A percent sign may start no escape: then there is no such product either, and the page says so. */
function decoded(part: string | undefined): string | undefined {
  try {
    return part && decodeURIComponent(part);
  } catch {
    return part;
  }
}
