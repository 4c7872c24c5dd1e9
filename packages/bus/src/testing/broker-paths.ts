import { tmpdir } from "node:os";
import { join } from "node:path";

/** Folder of the RabbitMQ that this user's tests share. */
export function sharedDirectory(): string {
  return join(tmpdir(), `smartcart-test-broker-${process.getuid?.() ?? "user"}`);
}

/** Where its keeper listens. */
export function keeperSocket(): string {
  return join(sharedDirectory(), "keeper.sock");
}
