/** What `npm start` prints when everything runs: where things are, and a line to try. */
import type { RunningSmartCart } from "./start-smartcart.ts";

interface BannerOptions {
  readonly smartcart: Pick<RunningSmartCart, "urls" | "embeddedDatabase">;
  /** The state folder. */
  readonly state: string;
  /** For people: which queue it is. */
  readonly queue: string;
  readonly readyMs: number;
}

/** Text for a terminal. It holds no secret. */
export function banner({ smartcart, state, queue, readyMs }: BannerOptions): string {
  const { urls, embeddedDatabase } = smartcart;
  const rows: ReadonlyArray<readonly [what: string, where: string]> = [
    ["Shop", urls.web ?? "not served"],
    ["Operations console", consoleOf(urls)],
    ["REST, OpenAPI at /docs", urls.order ?? ""],
    ["WebSocket status", `${urls["status-hub"]?.replace("http", "ws")}/ws`],
    ["Order (Connect, gRPC)", urls.order ?? ""],
    ["Inventory (Connect, gRPC)", urls.inventory ?? ""],
    ["Payment (Connect, gRPC)", urls.payment ?? ""],
    ["Central log (Connect, gRPC)", urls.log ?? ""],
    ["Notification (health)", urls.notification ?? ""],
    ["Shipping (Connect, gRPC)", urls.shipping ?? ""],
    [
      "Database",
      embeddedDatabase ? `embedded PostgreSQL in ${state}` : "PostgreSQL at DATABASE_URL",
    ],
    ["Queue", queue],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  const table = rows.map(([what, where]) => `  ${what.padEnd(width)}  ${where}`).join("\n");
  return `
SmartCart is ready (${(readyMs / 1_000).toFixed(1)} s)

${table}

Place an order:

  curl -i ${urls.order}/placeOrder -H 'content-type: application/json' -d '{"userId":"u1","items":[{"productId":"espresso-beans","quantity":1}],"address":"1 Main St"}'

Press Ctrl-C to stop.

`;
}

function consoleOf({ ops, web }: RunningSmartCart["urls"]): string {
  if (ops === undefined) return "off: HOST is not loopback, and OPS_TOKEN is not set";
  return web === undefined ? "not served" : `${web}/ops`;
}
