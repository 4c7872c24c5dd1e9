import type { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { ServiceClient } from "@smartcart/mesh";

/** Products at most that are ordered. */
const variety = 5;

/** The products of which the most are left. */
export async function wellStockedProducts(
  inventory: Pick<ServiceClient<typeof InventoryService>, "listProducts">,
): Promise<string[]> {
  const { products } = await inventory.listProducts({ pageSize: 100 });
  const counted = products.map(({ productId, available = 0 }) => ({ productId, available }));
  const byPlenty = counted.toSorted((one, other) => other.available - one.available);
  const most = byPlenty[0]?.available ?? 0;
  // A rare one among them would soon be sold out, and real customers want it.
  const plenty = byPlenty.filter(({ available }) => available > 0 && available >= most / 10);
  return plenty.slice(0, variety).map(({ productId }) => productId);
}
