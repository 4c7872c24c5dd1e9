/* A process that owns a private broker, to be killed. Argument: the folder. Says the broker's URL once it is ready. */
import { silentLogger } from "@smartcart/runtime";
import { startPrivateBroker } from "../src/index.ts";

const broker = await startPrivateBroker({ directory: process.argv[2] ?? "", log: silentLogger });
process.stdout.write(`${broker.amqpUrl}\n`);
setInterval(() => {}, 60_000);
