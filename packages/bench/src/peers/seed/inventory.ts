import { ports, productId, products } from "../environment.ts";
import { serve } from "../grpc.ts";
import { initialStock, priceMinor } from "../prices.ts";

const stock = new Map(Array.from({ length: products }, (_, i) => [productId(i), initialStock]));

await serve("Inventory", ports.inventory, {
  reserve({ productId, quantity }: { productId: string; quantity: number }) {
    const left = stock.get(productId) ?? 0;
    if (left < quantity) return { isAvailable: false, priceMinor };
    stock.set(productId, left - quantity);
    return { isAvailable: true, priceMinor };
  },
});
