/** A release and a flash sale, as `npm run chaos` has them, but small. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatFlashSale, runFlashSale, summarizeFlashSale } from "../src/scenarios/flash-sale.ts";
import {
  formatRollingRestart,
  runRollingRestart,
  summarizeRollingRestart,
} from "../src/scenarios/rolling-restart.ts";
import { shareInfrastructure } from "../src/system/share-infrastructure.ts";
import type { Replicas } from "../src/system/system-topology.ts";
import type { Rig } from "./rig.ts";
import { canRunChaos, openRig, say } from "./rig.ts";

const replicas: Replicas = {
  inventory: 2,
  payment: 2,
  shipping: 1,
  order: 2,
  notification: 1,
  "status-hub": 0,
  log: 0,
  smartcart: 0,
};

describe.skipIf(!(await canRunChaos()))("scenarios", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]();
  });

  /** A database and a virtual host for one test. */
  const environmentFor = async (name: string) => ({
    infrastructure: await shareInfrastructure(rig.infrastructure, name),
    directory: join(rig.directory, name),
    replicas,
    restBoundMs: 60_000,
  });

  it("a rolling restart loses and rejects no order", { timeout: 300_000 }, async () => {
    const report = await runRollingRestart({
      ...(await environmentFor("rolling_restart")),
      seed: 1,
      instances: ["inventory-1", "payment-1", "order-1", "order-2"],
      ratePerSecond: 20,
      orders: 100,
      onProgress: () => {},
    });
    say(summarizeRollingRestart(report));
    expect(report.passed, formatRollingRestart(report)).toBe(true);
  });

  it("a flash sale sells exactly what there is", { timeout: 300_000 }, async () => {
    const report = await runFlashSale({
      ...(await environmentFor("flash_sale")),
      seed: 1,
      buyers: 300,
      units: 30,
    });
    say(summarizeFlashSale(report));
    expect(report.passed, formatFlashSale(report)).toBe(true);
    expect(report.decisions).toEqual({ CONFIRMED: 30, OUT_OF_STOCK: 270 });
  });
});
