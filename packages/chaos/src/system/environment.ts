/** What every scenario runs on: the system, an administrator of its broker, and the customers' history. */
import { join } from "node:path";
import type { ClientHistory } from "../load/history.ts";
import { openHistory } from "../load/history.ts";
import type { BrokerAdmin } from "./broker-admin.ts";
import { openBrokerAdmin } from "./broker-admin.ts";
import type { System, SystemOptions } from "./system.ts";
import { startSystem } from "./system.ts";

/** Owns all three; disposal ends the processes but not the engines. */
export interface Environment extends AsyncDisposable {
  readonly system: System;
  readonly admin: BrokerAdmin;
  readonly history: ClientHistory;
}

/** Resolves when every instance is ready. Rejects, with everything stopped again, if one ends or is not ready within two minutes. */
export async function openEnvironment(o: SystemOptions): Promise<Environment> {
  await using opened = new AsyncDisposableStack();
  const system = opened.use(await startSystem(o));
  const admin = opened.use(await openBrokerAdmin(o.infrastructure.broker));
  const history = opened.use(await openHistory(join(o.directory, "client-history.jsonl")));
  const all = opened.move();
  return { system, admin, history, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
