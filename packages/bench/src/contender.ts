import { freePorts } from "@smartcart/testkit";
import type { Engines } from "./engines.ts";
import type { RunningProcess } from "./processes.ts";

/** A contender that takes orders. */
export interface Contender extends AsyncDisposable {
  /** One for each replica of the order service. */
  readonly orderUrls: readonly [string, ...string[]];
  readonly processes: readonly RunningProcess[];
  readonly databaseUrl: string | undefined;
  /** Customers with their access tokens, one a line, where every order has to have one. */
  readonly tokensFile?: string | undefined;
  /** From the start of the processes until they take orders, in milliseconds; undefined for the peers. */
  readonly readyMs?: number;
  /** Orders whose shipment is stored (or, for the seed's stack, was begun). */
  shipped(): Promise<number>;
}

/** What a contender is started with: engines that it shares with the others, and its own settings. */
export interface StartOptions {
  readonly engines: Engines;
  readonly directory: string;
  /** How many products there are. */
  readonly products: number;
  /** Write a CPU profile of each process when it ends. */
  readonly profile: boolean;
  /** A database of that contender. Default: a new one. */
  readonly databaseUrl?: string | undefined;
  /** Processes of each service that takes, relays or ships orders, where a service is a process. Default 1. */
  readonly replicas?: number | undefined;
}

/** The variable that names the port of each service. */
export const portVariables = {
  order: "ORDER_PORT",
  inventory: "INVENTORY_PORT",
  payment: "PAYMENT_PORT",
  shipping: "SHIPPING_PORT",
  notification: "NOTIFICATION_PORT",
  "status-hub": "STATUS_PORT",
  log: "LOG_PORT",
  ops: "OPS_PORT",
  web: "WEB_PORT",
} as const;

export type Ports = Record<(typeof portVariables)[keyof typeof portVariables], string>;

/** A free port for every service. */
export async function choosePorts(): Promise<Ports> {
  const variables = Object.values(portVariables);
  const free = await freePorts(variables.length);
  return Object.fromEntries(variables.map((variable, i) => [variable, String(free[i])])) as Ports;
}

/** Arguments to Node that write a CPU profile of that name, if `profile` is set. */
export function profileArgs(o: StartOptions, name: string): string[] {
  return o.profile
    ? ["--cpu-prof", `--cpu-prof-dir=${o.directory}`, `--cpu-prof-name=${name}.cpuprofile`]
    : [];
}
