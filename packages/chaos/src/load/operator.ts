/** The operator: restocks, writes off and prices products while customers order, and repeats what was not answered. */
import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { StockAdjustmentReason } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import type { ServiceClient } from "@smartcart/mesh";
import { createServiceClient } from "@smartcart/mesh";
import { delay, silentLogger } from "@smartcart/runtime";
import type { Random } from "../random.ts";

/** What an operator did. */
interface OperatorFindings {
  /** Adjustments that were acknowledged. */
  readonly adjustments: { adjustmentId: string; productId: string; delta: number }[];
  /** Every price that a product had, or may have had: those that were asked for, and the first ones. */
  readonly prices: { productId: string; priceMinor: string }[];
}

/** Its findings are complete once `stop` has resolved; disposal stops it as well. */
export interface RunningOperator extends AsyncDisposable {
  readonly findings: OperatorFindings;
  /** Lets the operator finish what is under way. */
  stop(): Promise<void>;
}

interface OperatorOptions {
  /** Where inventory is. */
  readonly url: string;
  readonly products: readonly string[];
  readonly random: Random;
}

/** Pause between two acts, in milliseconds. */
const pauseMs = { min: 20, max: 200 };
/** Longest time that an unanswered act is repeated for after the end, in milliseconds. */
const patienceMs = 60_000;

/** Starts an operator that adjusts stock and prices until it is stopped. */
export async function startOperator(o: OperatorOptions): Promise<RunningOperator> {
  const client = createServiceClient(CatalogueAdminService, {
    caller: "operator",
    baseUrl: o.url,
    log: silentLogger,
  });
  const findings: OperatorFindings = { adjustments: [], prices: [] };
  for (const productId of o.products) notePrice(findings, await read(client, productId));
  const ending = new AbortController();
  const work = (async () => {
    while (!ending.signal.aborted) {
      const productId = o.random.pick(o.products);
      if (o.random.chance(0.5)) await adjust(client, productId, findings, o.random, ending.signal);
      else await price(client, productId, findings, o.random, ending.signal);
      await delay(o.random.int(pauseMs.min, pauseMs.max));
    }
  })();
  const stop = async () => {
    ending.abort();
    await work;
  };
  return {
    findings,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      client[Symbol.dispose]();
    },
  };
}

type Client = ServiceClient<typeof CatalogueAdminService>;

async function adjust(
  client: Client,
  productId: string,
  { adjustments }: OperatorFindings,
  random: Random,
  ending: AbortSignal,
): Promise<void> {
  const adjustmentId = randomUUID();
  const units = random.int(1, 5);
  const isLoss = random.chance(0.3);
  const delta = isLoss ? -units : units;
  const reason = isLoss ? StockAdjustmentReason.WRITTEN_OFF : StockAdjustmentReason.RECEIVED;
  const request = { adjustmentId, productId, delta, reason, note: "chaos" };
  const answer = await persist(() => client.adjustStock(request), ending);
  if (answer) adjustments.push({ adjustmentId, productId, delta });
}

async function price(
  client: Client,
  productId: string,
  findings: OperatorFindings,
  random: Random,
  ending: AbortSignal,
): Promise<void> {
  const current = await persist(() => read(client, productId), ending);
  const old = current?.product?.price;
  if (current === undefined || old === undefined) return;
  const { revision } = current;
  const minorUnits = old.minorUnits + BigInt(random.int(-3, 4));
  if (minorUnits <= 0n) return;
  // Also where it is not acknowledged: it may have been set.
  findings.prices.push({ productId, priceMinor: minorUnits.toString() });
  const newPrice = { currencyCode: old.currencyCode, minorUnits };
  await persist(() => client.updateProduct({ productId, revision, price: newPrice }), ending);
}

async function read(client: Client, productId: string): Promise<CatalogueProduct | undefined> {
  return (await client.getCatalogueProduct({ productId })).product;
}

function notePrice({ prices }: OperatorFindings, product: CatalogueProduct | undefined): void {
  const { productId = "", price: current } = product?.product ?? {};
  prices.push({ productId, priceMinor: String(current?.minorUnits) });
}

/** Repeats a call until it has a final answer; undefined if it was rejected. */
async function persist<T>(call: () => Promise<T>, ending: AbortSignal): Promise<T | undefined> {
  let endedAt: number | undefined;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const { code } = ConnectError.from(error);
      if (code === Code.FailedPrecondition || code === Code.Aborted) return undefined;
      if (ending.aborted) endedAt ??= performance.now();
      if (endedAt !== undefined && performance.now() - endedAt > patienceMs) throw error;
      await delay(200);
    }
  }
}
