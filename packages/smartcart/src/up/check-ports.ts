/** Finds ports that are taken before anything is started, so that all of them are reported at once. */
import { once } from "node:events";
import { createServer } from "node:net";
import { StartError } from "@smartcart/runtime";
import { readRunningNote } from "../attach/running-file.ts";
import type { SmartCartConfig } from "../config.ts";
import { hasConsole } from "./start-smartcart.ts";

const variables = [
  "ORDER_PORT",
  "INVENTORY_PORT",
  "PAYMENT_PORT",
  "STATUS_PORT",
  "LOG_PORT",
  "NOTIFICATION_PORT",
  "SHIPPING_PORT",
  "OPS_PORT",
  "WEB_PORT",
] as const;

/**
 * @param stateDirectory Where a SmartCart that holds the ports is looked for.
 * @throws StartError with a line for every port that is in use or that two services would share.
 */
export async function assertPortsFree(
  config: SmartCartConfig,
  stateDirectory: string,
): Promise<void> {
  const used = variables.filter((variable) => variable !== "OPS_PORT" || hasConsole(config));
  const problems = await Promise.all(
    used.map(async (variable, index) => {
      const port = config[variable];
      if (port === 0) return undefined;
      const earlier = used.slice(0, index).find((other) => config[other] === port);
      if (earlier !== undefined) {
        return `${earlier} and ${variable} are both ${port}. Set one of them to another port.`;
      }
      const isTaken = await isInUse(config.HOST, port);
      return isTaken ? `Port ${port} is in use. Set ${variable}.` : undefined;
    }),
  );
  const lines = problems.filter((problem) => problem !== undefined);
  if (lines.length === 0) return;
  const running = await readRunningNote(stateDirectory);
  const advice =
    running === undefined
      ? "PORT_BASE=9000 moves all ports, to 9000 and the eight after it."
      : `SmartCart already runs in ${stateDirectory} as process ${running.pid}. Stop it, or set SMARTCART_STATE and PORT_BASE to start a second one.`;
  throw new StartError(`not all ports are available:\n${lines.join("\n")}\n${advice}`, {
    variable: "PORT_BASE",
  });
}

/** Every other problem is left to the service: it reports it together with what to do. */
async function isInUse(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EADDRINUSE";
  } finally {
    server.close();
  }
}
