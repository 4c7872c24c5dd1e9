import { randomUUID } from "node:crypto";
import { connect as connectAmqp } from "amqplib";
import express from "express";
import { amqpUrl, ports } from "../environment.ts";
import { connect } from "../grpc.ts";
import type { Line, OrderBody } from "../order-body.ts";
import { isOrderBody } from "../order-body.ts";
import { pool, transaction } from "./database.ts";
import { openChannel } from "./queue.ts";

const reserve = connect<Line & { orderId: string }, { isAvailable: boolean; priceMinor: number }>(
  "Inventory",
  ports.inventory,
  "reserve",
);
const processPayment = connect<object, { isPaid: boolean }>(
  "Payment",
  ports.payment,
  "processPayment",
);
const { channel, publish } = await openChannel(await connectAmqp(amqpUrl, { noDelay: true }));
await channel.assertQueue("shipments", { durable: true });
await channel.consume("shipments", async (message) => {
  if (message === null) return;
  const { orderId } = JSON.parse(message.content.toString());
  await transaction((client) =>
    client.query("update orders set status = 'SHIPPED' where order_id = $1", [orderId]),
  );
  channel.ack(message);
});

const app = express();
app.use(express.json());
app.post("/placeOrder", async (request, response) => {
  const body: OrderBody = request.body;
  if (!isOrderBody(body))
    return void response.status(400).json({ error: "userId, items, address" });
  const orderId = `ORD-${randomUUID()}`;
  await transaction((client) =>
    client.query(
      "insert into orders (order_id, user_id, items, address, amount_minor, status) values ($1, $2, $3, $4, 0, 'RECEIVED')",
      [orderId, body.userId, JSON.stringify(body.items), body.address],
    ),
  );
  let amountMinor = 0;
  for (const line of body.items) {
    const { isAvailable, priceMinor } = await reserve({ orderId, ...line });
    if (!isAvailable) return void response.status(409).json({ error: "out of stock" });
    amountMinor += priceMinor * line.quantity;
  }
  const { isPaid } = await processPayment({ orderId, userId: body.userId, amountMinor });
  if (!isPaid) return void response.status(402).json({ error: "declined" });
  await transaction((client) =>
    client.query("update orders set status = 'CONFIRMED', amount_minor = $2 where order_id = $1", [
      orderId,
      amountMinor,
    ]),
  );
  await publish("orders", { orderId, ...body, amountMinor });
  await publish("statuses", { orderId, userId: body.userId, status: "Payment Confirmed" });
  response.status(201).json({ orderId, status: "CONFIRMED", total: amountMinor });
});
app.get("/readyz", async (_request, response) => {
  await pool.query("select 1");
  response.json({ status: "ready" });
});
app.listen(ports.order, "127.0.0.1");
