import { Connection } from "rabbitmq-client";
import { canTestRabbitmq, createTestBroker } from "@smartcart/testkit";
import { describeContract } from "./contract-suite.ts";

const skip = !(await canTestRabbitmq());

describeContract(
  "RabbitMQ",
  async () => {
    const broker = await createTestBroker();
    return {
      options: { amqpUrl: broker.amqpUrl, databaseUrl: "postgres://unused" },
      async put(queue, { body, id, type, attempt }) {
        const connection = new Connection(broker.amqpUrl);
        const publisher = connection.createPublisher({ confirm: true });
        const envelope = {
          routingKey: queue,
          ...(id !== undefined && { messageId: id }),
          ...(type !== undefined && { type }),
          ...(attempt !== undefined && { headers: { "x-attempt": attempt } }),
        };
        await publisher.send(envelope, Buffer.from(body));
        await publisher.close();
        await connection.close();
      },
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  },
  skip,
);
