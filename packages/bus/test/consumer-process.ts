/*
 * A consumer in a process of its own, to be killed. Arguments: the bus options as JSON, the queue.
 * Says "holding <order>" for each message and never answers for any.
 */
import { isMessage } from "@bufbuild/protobuf";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { openBus } from "../src/index.ts";

const [options = "", queue = ""] = process.argv.slice(2);
const bus = await openBus({ ...JSON.parse(options), name: "victim", log: silentLogger });
await bus.consume(queue, {
  name: "victim",
  log: silentLogger,
  handle: (batch) => {
    for (const { message } of batch) {
      if (isMessage(message, OrderPlacedSchema))
        process.stdout.write(`holding ${message.orderId}\n`);
    }
    return new Promise(() => {});
  },
});
process.stdout.write("ready\n");
