import type { JsonObject } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import { LogRecordSchema } from "@smartcart/gen/log/v1/log_pb";
import type { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { invalidPageToken } from "./errors.ts";
import { parsePageToken, toPageToken } from "./filter.ts";
import type { FoundRecord } from "./read-records.ts";
import { searchRecords } from "./read-records.ts";
import type { Readings } from "./readings.ts";
import type { Tail } from "./tail.ts";

const defaultPageSize = 100;

/** The RPCs of smartcart.log.v1.LogService. */
export function createLogRoutes(readings: Readings, tail: Tail): ServiceImpl<typeof LogService> {
  return {
    async searchLogs({ filter, pageSize, pageToken }, { signal }: HandlerContext) {
      const after = pageToken === "" ? undefined : parsePageToken(pageToken);
      if (pageToken !== "" && !after) throw invalidPageToken();
      const limit = pageSize || defaultPageSize;
      // One more than asked for says whether there is a next page.
      const found = await readings.search(signal, (tx) =>
        searchRecords(tx, filter, after, limit + 1),
      );
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1) : undefined;
      return { records: page.map(toMessage), nextPageToken: last ? tokenOf(last) : "" };
    },

    async *tailLogs({ filter, backlog }, { signal }: HandlerContext) {
      for await (const found of tail.follow(filter, backlog, signal)) {
        yield { records: found.map(toMessage) };
      }
    },
  };
}

function tokenOf({ occurredAt, position }: FoundRecord): string {
  return toPageToken({ occurredAtMs: occurredAt.getTime(), position });
}

function toMessage({ position: _, occurredAt, attributes, ...record }: FoundRecord): LogRecord {
  return create(LogRecordSchema, {
    ...record,
    occurredAt: timestampFromDate(occurredAt),
    attributes: JSON.parse(attributes) as JsonObject,
  });
}
