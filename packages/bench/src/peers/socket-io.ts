/** The status hub with socket.io, by its documentation: one socket.io room per user, fed by amqplib. */
import { createServer } from "node:http";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { connect } from "amqplib";
import type { Socket } from "socket.io";
import { Server } from "socket.io";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { statusExchange } from "../hub/order-book.ts";
import { amqpUrl, ports } from "./environment.ts";

const orders = createClient(
  OrderService,
  createConnectTransport({ baseUrl: `http://127.0.0.1:${ports.order}`, httpVersion: "2" }),
);
const server = createServer((_request, response) => response.end("ready"));
const io = new Server(server, { transports: ["websocket"] });

/** Most concurrent reads from the order service, which would reject more when many clients connect at once. */
const maxReadings = 32;
let readings = 0;
const waiting: (() => void)[] = [];

io.on("connection", async (socket) => {
  const { userId } = socket.handshake.auth;
  await socket.join(userId);
  if (readings >= maxReadings) await new Promise<void>((resolve) => waiting.push(resolve));
  readings += 1;
  try {
    await replay(socket, userId);
  } finally {
    readings -= 1;
    waiting.shift()?.();
  }
});

async function replay(socket: Socket, userId: string): Promise<void> {
  const newest = await orders.listOrders({ userId, pageSize: 20 });
  for (const { orderId } of newest.orders.reverse()) {
    const { events } = await orders.listOrderEvents({ orderId });
    for (const { $typeName: _, milestone: __, occurredAt: at, ...status } of events) {
      const occurredAt = at && timestampDate(at).toISOString();
      socket.emit("status", { ...status, occurredAt });
    }
  }
}

const channel = await (await connect(amqpUrl, { noDelay: true })).createChannel();
await channel.assertExchange(statusExchange, "fanout");
const { queue } = await channel.assertQueue("", { exclusive: true });
await channel.bindQueue(queue, statusExchange, "");
await channel.consume(
  queue,
  (message) => {
    if (message === null) return;
    for (const { userId, ...status } of JSON.parse(message.content.toString())) {
      io.to(userId).emit("status", status);
    }
  },
  { noAck: true },
);
server.listen(ports.hub, "127.0.0.1");
process.once("SIGTERM", () => process.exit());
