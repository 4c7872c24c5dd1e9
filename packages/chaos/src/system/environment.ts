/** What every scenario plays on: the system, the administrator of its broker, and the file that the customers write. */
import { join } from "node:path";
import type { ClientHistory } from "../load/history.ts";
import { openHistory } from "../load/history.ts";
import type { BrokerAdmin } from "./broker-admin.ts";
import { openBrokerAdmin } from "./broker-admin.ts";
import type { System, SystemOptions } from "./system.ts";
import { startSystem } from "./system.ts";

export interface Environment extends AsyncDisposable {
  readonly system: System;
  readonly admin: BrokerAdmin;
  readonly history: ClientHistory;
}

export async function openEnvironment(o: SystemOptions): Promise<Environment> {
  await using opened = new AsyncDisposableStack();
  const system = opened.use(await startSystem(o));
  const admin = opened.use(await openBrokerAdmin(o.infrastructure.broker));
  const history = opened.use(await openHistory(join(o.directory, "client-history.jsonl")));
  const all = opened.move();
  return { system, admin, history, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
