import type { ChannelModel } from "amqplib";

/** A channel with confirms; `publish` resolves when the broker has the message on disk. */
export async function openChannel(connection: ChannelModel) {
  const channel = await connection.createConfirmChannel();
  for (const queue of ["orders", "statuses", "shipments"]) {
    await channel.assertQueue(queue, { durable: true });
  }
  await channel.prefetch(100);
  const publish = (queue: string, message: object): Promise<void> =>
    new Promise((resolve, reject) => {
      const body = Buffer.from(JSON.stringify(message));
      channel.sendToQueue(queue, body, { persistent: true }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  return { channel, publish };
}
