import { connect } from "amqplib";
import express from "express";
import { amqpUrl, ports } from "../environment.ts";

let shipped = 0;
const channel = await (await connect(amqpUrl, { noDelay: true })).createChannel();
await channel.assertQueue("orders", { durable: false });
await channel.assertQueue("statuses", { durable: false });
await channel.consume("orders", (message) => {
  if (message === null) return;
  const { orderId, userId } = JSON.parse(message.content.toString());
  // biome-ignore lint/suspicious/noConsole: the seed's shipping service logs to the console
  console.log(`Shipping started for OrderId: ${orderId}`);
  const status = { orderId, userId, status: "Shipped" };
  channel.sendToQueue("statuses", Buffer.from(JSON.stringify(status)));
  channel.ack(message);
  shipped += 1;
});

const app = express();
app.get("/shipped", (_request, response) => void response.json({ shipped }));
app.get("/readyz", (_request, response) => void response.json({ status: "ready" }));
app.listen(ports.shipping, "127.0.0.1");
