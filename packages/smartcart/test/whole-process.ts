/** `node packages/smartcart/src/main.ts up`: everything in one process, as `npm start` runs it, to be killed. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SpawnedService } from "@smartcart/testkit";
import { freePorts, spawnService, waitFor } from "@smartcart/testkit";
import type { Shopper } from "./stack.ts";
import { createShopper } from "./stack.ts";

const services = [
  "order",
  "inventory",
  "payment",
  "status-hub",
  "log",
  "notification",
  "shipping",
  "ops",
  "web",
];

const portVariables = services.map(
  (service) => `${service.replace("-hub", "").toUpperCase()}_PORT`,
);

export interface WholeProcess extends SpawnedService, Shopper {
  /** Base URL by service. */
  readonly urls: Readonly<Record<string, string>>;
}

/** Ports for one process, as its environment. Choose them just before the start. */
export async function choosePorts(): Promise<Record<string, string>> {
  const ports = await freePorts(services.length);
  return Object.fromEntries(portVariables.map((variable, index) => [variable, `${ports[index]}`]));
}

const presentMain = "packages/smartcart/src/main.ts";

/** Spawns it and does not wait. `env` has to hold the ports; `main` is that of another version. */
export function spawnWhole(
  env: Readonly<Record<string, string>>,
  main: string = presentMain,
): WholeProcess {
  const urls = Object.fromEntries(
    services.map((service, index) => [
      service,
      `http://127.0.0.1:${env[portVariables[index] ?? ""]}`,
    ]),
  );
  // Not the folder of an installation on this machine, whose note of what runs it would overwrite.
  const state = mkdtempSync(join(tmpdir(), "smartcart-test-"));
  const process = spawnService({
    args: [main, "up"],
    // A busy machine must not turn 201 into 202.
    env: { ORDER_ANSWER_TIMEOUT_MS: "20000", SMARTCART_STATE: state, ...env },
  });
  return {
    ...process,
    urls,
    ...createShopper(urls),
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await rm(state, { recursive: true, force: true });
    },
  };
}

/** Spawns it and waits until it is ready. */
export async function startWhole(
  env: Readonly<Record<string, string>>,
  main?: string,
): Promise<WholeProcess> {
  const whole = spawnWhole(env, main);
  let code: number | NodeJS.Signals | undefined;
  void whole.exited.then((ended) => {
    code = ended;
  });
  try {
    await waitFor(() => whole.output().includes("SmartCart is ready") || code !== undefined, {
      what: "SmartCart to be ready",
      timeoutMs: 90_000,
    });
    if (code !== undefined) throw new Error(`SmartCart ended with ${code}`);
    return whole;
  } catch (cause) {
    await whole[Symbol.asyncDispose]();
    throw new Error(`SmartCart did not start; it wrote:\n${whole.output()}`, { cause });
  }
}
