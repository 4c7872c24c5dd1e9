import { isMessage } from "@bufbuild/protobuf";
import type { Delivery, EventBus, Outcome, RunningConsumer } from "@smartcart/bus";
import { LogsEmittedSchema } from "@smartcart/gen/events/v1/log_events_pb";
import type { Logger } from "@smartcart/runtime";
import { retryUntilReady } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { isConnectionError } from "@smartcart/store";
import type { StoredRecord } from "./record.ts";
import { toStored } from "./record.ts";
import { insertRecords } from "./store.ts";

const queue = "logs";

/** What the consumer works with. */
export interface LogsEmittedConsumerOptions {
  readonly bus: EventBus;
  readonly database: Database;
  readonly log: Logger;
  readonly now: () => Date;
  /** Picks the records that are stored. */
  readonly intake: (records: readonly StoredRecord[]) => StoredRecord[];
  /** Called after each batch with how many records were new. */
  readonly onStored: (count: number) => void;
}

/**
 * Stores the log records of all services. Records are identified by their id, so a duplicate message has no effect.
 * It logs nothing about a stored batch: that line would be the next batch, without end.
 */
export function startLogsEmittedConsumer(o: LogsEmittedConsumerOptions): Promise<RunningConsumer> {
  return o.bus.consume(queue, {
    name: "log.logs",
    log: o.log,
    maxBatch: 64,
    async handle(batch, { signal }) {
      const records = o.intake(batch.flatMap((delivery) => recordsOf(delivery, o.now())));
      const stored = await insertPatiently(records, o, signal);
      if (stored > 0) o.onStored(stored);
      return batch.map(outcomeOf);
    },
  });
}

/** Waits for an unavailable database, at most the time limit of the handler: this queue has few attempts and no dead letters. */
function insertPatiently(
  records: readonly StoredRecord[],
  { database, log }: LogsEmittedConsumerOptions,
  signal: AbortSignal,
): Promise<number> {
  return retryUntilReady({
    what: "PostgreSQL",
    variable: "DATABASE_URL",
    log,
    signal,
    attempt: () => insertRecords(database, records),
    isFatal: (error) => !isConnectionError(error),
  });
}

function recordsOf({ message, id }: Delivery, now: Date): StoredRecord[] {
  if (!isMessage(message, LogsEmittedSchema)) return [];
  return message.records.map((record, index) => toStored(record, { messageId: id, index, now }));
}

function outcomeOf({ message, type }: Delivery): Outcome {
  if (isMessage(message, LogsEmittedSchema)) return { kind: "ack" };
  return { kind: "dead-letter", reason: `queue ${queue} does not accept ${type}` };
}
