import { connect } from "amqplib";
import express from "express";
import { amqpUrl, ports } from "../environment.ts";
import { pool, transaction } from "./database.ts";
import { openChannel } from "./queue.ts";

const { channel, publish } = await openChannel(await connect(amqpUrl, { noDelay: true }));
await channel.consume("orders", async (message) => {
  if (message === null) return;
  const { orderId, userId } = JSON.parse(message.content.toString());
  // biome-ignore lint/suspicious/noConsole: the seed's shipping service logs to the console
  console.log(`Shipping started for OrderId: ${orderId}`);
  await transaction((client) =>
    client.query("insert into shipment (order_id) values ($1) on conflict do nothing", [orderId]),
  );
  await publish("shipments", { orderId });
  await publish("statuses", { orderId, userId, status: "Shipped" });
  channel.ack(message);
});

const app = express();
app.get("/shipped", async (_request, response) => {
  const { rows } = await pool.query("select count(*)::int as shipped from shipment");
  response.json(rows[0]);
});
app.get("/readyz", (_request, response) => void response.json({ status: "ready" }));
app.listen(ports.shipping, "127.0.0.1");
