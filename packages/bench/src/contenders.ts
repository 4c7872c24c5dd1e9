/** The measured systems: two peers (stacks that a team would write instead), and SmartCart in several deployments. */
import { mkdir } from "node:fs/promises";
import type { Contender, StartOptions } from "./contender.ts";
import { startPeer } from "./peer-contender.ts";
import { startServices } from "./services-contender.ts";
import { startSmartCart } from "./smartcart-contender.ts";

export type ContenderName =
  | "seed"
  | "durable"
  | "smartcart"
  | "smartcart-tokens"
  | "embedded"
  | "services";

export const contenders: Readonly<Record<ContenderName, string>> = {
  seed: "the seed's stack: Express, @grpc/grpc-js, amqplib; nothing is durable",
  durable: "the same, a PostgreSQL transaction a step, persistent confirmed messages",
  smartcart: "SmartCart, one process, PostgreSQL and RabbitMQ",
  "smartcart-tokens": "the same, with the access token of a customer on every order",
  embedded: "SmartCart, one process, everything on PostgreSQL",
  services: "SmartCart, a process a service, PostgreSQL and RabbitMQ",
};

export async function startContender(name: ContenderName, o: StartOptions): Promise<Contender> {
  await mkdir(o.directory, { recursive: true });
  switch (name) {
    case "seed":
    case "durable":
      return startPeer(name, o);
    case "smartcart":
    case "smartcart-tokens":
    case "embedded":
      return startSmartCart(name, o);
    case "services":
      return startServices(o);
  }
}
