/*
 * A consumer or subscriber in a process of its own, to be killed or stopped. Arguments: the bus options as JSON, and a queue, for
 * whose messages it says "holding <order>" and never answers; or "fan-out", for whose events it says "heard <sequence>" and "gap".
 */
import { isMessage } from "@bufbuild/protobuf";
import {
  OrderPlacedSchema,
  OrderStatusChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { openBus } from "../src/index.ts";

const [options = "", queue = "", maxBatch = "1"] = process.argv.slice(2);
const bus = await openBus({ ...JSON.parse(options), name: "victim", log: silentLogger });
const say = (line: string) => process.stdout.write(`${line}\n`);
const shared = { name: "victim", log: silentLogger };
if (queue === "fan-out") {
  await bus.subscribe(OrderStatusChangedSchema, {
    ...shared,
    onEvents(events) {
      for (const { sequence } of events) say(`heard ${sequence}`);
    },
    onGap: () => say("gap"),
  });
} else {
  await bus.consume(queue, {
    ...shared,
    maxBatch: Number(maxBatch),
    handle: (batch) => {
      for (const { message } of batch) {
        if (isMessage(message, OrderPlacedSchema)) say(`holding ${message.orderId}`);
      }
      return new Promise(() => {});
    },
  });
}
say("ready");
