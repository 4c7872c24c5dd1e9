import { ports } from "../environment.ts";
import { serve } from "../grpc.ts";
import { transaction } from "./database.ts";

await serve("Payment", ports.payment, {
  processPayment(request: { orderId: string; userId: string; amountMinor: number }) {
    return transaction(async (client) => {
      await client.query(
        "insert into payment (order_id, user_id, amount_minor) values ($1, $2, $3)",
        [request.orderId, request.userId, request.amountMinor],
      );
      return { isPaid: true };
    });
  },
});
