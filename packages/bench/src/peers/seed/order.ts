import { randomUUID } from "node:crypto";
import { connect as connectAmqp } from "amqplib";
import express from "express";
import { amqpUrl, ports } from "../environment.ts";
import { connect } from "../grpc.ts";
import type { Line, OrderBody } from "../order-body.ts";
import { isOrderBody } from "../order-body.ts";

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
const channel = await (await connectAmqp(amqpUrl, { noDelay: true })).createChannel();
await channel.assertQueue("orders", { durable: false });
await channel.assertQueue("statuses", { durable: false });

const app = express();
app.use(express.json());
app.post("/placeOrder", async (request, response) => {
  const body: OrderBody = request.body;
  if (!isOrderBody(body))
    return void response.status(400).json({ error: "userId, items, address" });
  const orderId = `ORD-${randomUUID()}`;
  let amountMinor = 0;
  for (const line of body.items) {
    const { isAvailable, priceMinor } = await reserve({ orderId, ...line });
    if (!isAvailable) return void response.status(409).json({ error: "out of stock" });
    amountMinor += priceMinor * line.quantity;
  }
  const { isPaid } = await processPayment({ orderId, userId: body.userId, amountMinor });
  if (!isPaid) return void response.status(402).json({ error: "declined" });
  const order = { orderId, ...body, amountMinor };
  channel.sendToQueue("orders", Buffer.from(JSON.stringify(order)));
  const status = { orderId, userId: body.userId, status: "Payment Confirmed" };
  channel.sendToQueue("statuses", Buffer.from(JSON.stringify(status)));
  response.status(201).json({ orderId, status: "CONFIRMED", total: amountMinor });
});
app.get("/readyz", (_request, response) => void response.json({ status: "ready" }));
app.listen(ports.order, "127.0.0.1");
