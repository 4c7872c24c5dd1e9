/** Gathers the facts that the product's own tables do not contain: see `Facts`. */
import { readFile } from "node:fs/promises";
import type { RunningFaults } from "../faults/faults.ts";
import type { Environment } from "../system/environment.ts";
import type { Facts } from "../verification/facts.ts";
import type { LoadFindings } from "./load.ts";
import type { RunningOperator } from "./operator.ts";
import type { Sighting } from "./watcher.ts";

interface ClientEvidence {
  readonly environment: Environment;
  readonly findings: LoadFindings;
  readonly sightings: readonly Sighting[];
  readonly messagesWaiting: number;
  /** Undefined where there were none. */
  readonly faults: RunningFaults | undefined;
  /** Undefined where there was none. */
  readonly operator: RunningOperator | undefined;
}

/** Call it at rest: it reads each watched order's last sequence, the dead letters and the shipping log as they are now. */
export async function gatherFacts(it: ClientEvidence): Promise<Facts> {
  const { system, admin } = it.environment;
  const answers = answersOf(it.findings);
  const restSequences = await Promise.all(
    it.sightings.map(({ orderId }) => readSequence(system.orderUrl, orderId)),
  );
  const lines = (await readFile(system.shippingLog, "utf8").catch(() => "")).split("\n");
  return {
    answers: answers.flatMap(({ operation, key, orderId, answer }) =>
      answer ? [{ operation, key, orderId: answer.orderId || orderId, says: answer.says }] : [],
    ),
    unanswered: answers.flatMap(({ operation, key, orderId, answer }) =>
      answer ? [] : [{ operation, key, orderId }],
    ),
    replays: it.findings.replays,
    sightings: it.sightings.map((sighting, index) => ({
      ...sighting,
      restSequence: restSequences[index],
    })),
    poison: poisonOf(it.faults),
    deadLetters: await admin.deadLetters(),
    startLines: lines.flatMap(
      (line) => /Shipping started for OrderId: (\S+)/.exec(line)?.[1] ?? [],
    ),
    messagesWaiting: it.messagesWaiting,
    adjustments: it.operator?.findings.adjustments ?? [],
    prices: it.operator?.findings.prices ?? [],
  };
}

function answersOf({ placed, cancelled }: LoadFindings) {
  const keyOf = new Map(placed.map(({ wish, answer }) => [answer?.orderId, wish.key]));
  return [
    ...placed.map(({ wish, answer }) => ({
      operation: "place",
      key: wish.key,
      orderId: "",
      answer,
    })),
    ...cancelled.map(({ orderId, answer }) => ({
      operation: "cancel",
      key: keyOf.get(orderId) ?? "",
      orderId,
      answer,
    })),
  ];
}

function poisonOf(faults: RunningFaults | undefined): Facts["poison"] {
  const sent = faults?.records.filter(({ kind }) => kind === "poison") ?? [];
  return sent.flatMap((fault) =>
    [0, 1, 2, 3].map((index) => {
      const messageId = `poison-${fault.target}-${fault.atMs}-${index}`;
      return { messageId, confirmed: faults?.poison.includes(messageId) === true };
    }),
  );
}

async function readSequence(url: string, orderId: string): Promise<number | undefined> {
  const response = await fetch(`${url}/orders/${orderId}`, { signal: AbortSignal.timeout(10_000) });
  return ((await response.json()) as { lastSequence?: number }).lastSequence;
}
