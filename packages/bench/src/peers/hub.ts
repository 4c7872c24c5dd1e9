/** The status hub of both peers: sends the messages of queue `statuses` to the sockets of their users. */
import { connect } from "amqplib";
import { WebSocketServer } from "ws";
import { amqpUrl, ports } from "./environment.ts";

const server = new WebSocketServer({ port: ports.hub, host: "127.0.0.1" });
const channel = await (await connect(amqpUrl, { noDelay: true })).createChannel();
await channel.assertQueue("statuses", { durable: process.env.BENCH_DURABLE === "true" });
await channel.consume("statuses", (message) => {
  if (message === null) return;
  for (const client of server.clients) client.send(message.content.toString());
  channel.ack(message);
});
