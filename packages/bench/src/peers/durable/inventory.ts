import { ports } from "../environment.ts";
import { serve } from "../grpc.ts";
import { priceMinor } from "../prices.ts";
import { transaction } from "./database.ts";

await serve("Inventory", ports.inventory, {
  reserve(line: { orderId: string; productId: string; quantity: number }) {
    return transaction(async (client) => {
      const { rowCount } = await client.query(
        "update stock set available = available - $2 where product_id = $1 and available >= $2",
        [line.productId, line.quantity],
      );
      if (rowCount !== 1) return { isAvailable: false, priceMinor };
      await client.query(
        "insert into reservation (order_id, product_id, quantity) values ($1, $2, $3)",
        [line.orderId, line.productId, line.quantity],
      );
      return { isAvailable: true, priceMinor };
    });
  },
});
