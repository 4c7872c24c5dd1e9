import type { JsonValue } from "@bufbuild/protobuf";
import type { QueueType } from "@smartcart/contract";
import { delay } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { idOf } from "../message.ts";
import type { DeadLetter, DeadLetters } from "../types.ts";
import type { Selection, StoredDeadLetter } from "./dead-letter-store.ts";
import {
  dropDeadLetters,
  measureDeadLetters,
  readDeadLetters,
  redriveDeadLetters,
} from "./dead-letter-store.ts";

/** Most dead letters per statement. */
const chunk = 1_000;

/** The dead letters of a queue. */
export function createDeadLetters(queue: QueueType, database: Database): DeadLetters {
  return {
    async list({ limit = 100 } = {}) {
      return (await readDeadLetters(database, queue, limit)).map(toDeadLetter);
    },
    async count() {
      return (await measureDeadLetters(database, queue)).count;
    },
    async redrive(ids, { maxPerSecond, limit = Number.POSITIVE_INFINITY } = {}) {
      const pauseMs = maxPerSecond === undefined ? 0 : 1_000 / maxPerSecond;
      const move = (selection: Selection) => redriveDeadLetters(database, selection);
      return await inChunks(ids, { limit, pauseMs }, move);
    },
    async drop(ids, { limit = Number.POSITIVE_INFINITY } = {}) {
      const drop = (selection: Selection) => dropDeadLetters(database, selection);
      return await inChunks(ids, { limit, pauseMs: 0 }, drop);
    },
  };

  /** One at a time where there is a pause between them. A message that becomes a dead letter again meanwhile lies after `last`. */
  async function inChunks(
    ids: readonly string[] | "all",
    { limit, pauseMs }: { limit: number; pauseMs: number },
    act: (selection: Selection) => Promise<number>,
  ): Promise<number> {
    const { last } = await measureDeadLetters(database, queue);
    let done = 0;
    while (done < limit) {
      if (done > 0 && pauseMs > 0) await delay(pauseMs);
      const most = Math.min(limit - done, pauseMs > 0 ? 1 : chunk);
      const count = await act({ queue, ids, last, limit: most });
      done += count;
      if (count === 0) break;
    }
    return done;
  }
}

function toDeadLetter(row: StoredDeadLetter): DeadLetter {
  const { type, reason, attempt, failedAt, traceparent, body, contentType } = row;
  return {
    id: idOf(row),
    ...{ type, reason, attempt, traceparent, body },
    failedAt: failedAt ?? undefined,
    properties: contentType === "" ? {} : { contentType },
    headers: headersOf(row.headers),
  };
}

/** Another client may have stored any JSON there. */
function headersOf(headers: JsonValue): Readonly<Record<string, JsonValue>> {
  if (headers === null) return {};
  return typeof headers === "object" && !Array.isArray(headers) ? headers : { headers };
}
