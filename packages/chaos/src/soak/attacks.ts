/** What strangers do to the shop. Every attack has a bounded rate, and is made of bytes that are computed once. */
import * as connections from "./attacks-connections.ts";
import * as requests from "./attacks-requests.ts";
import type { Generator } from "./generator.ts";

/** A group of them that hits the same weakness. */
export interface Attack {
  readonly what: string;
  readonly generators: readonly Generator[];
}

export const attacks = {
  downloads: {
    what: "odd ranges and aborted downloads of the page's files",
    generators: [requests.oddRanges, requests.abortedDownloads],
  },
  bodies: {
    what: "one kilobyte that becomes megabytes, and thousands of violations",
    generators: [requests.gzipBombs, requests.violations],
  },
  departures: {
    what: "HTTP/2 connections opened and closed, and streams whose client is gone",
    generators: [connections.briefConnections, connections.departedStreams],
  },
  "unread-answers": {
    what: "pipelined requests nobody reads the answers of, and windows of zero bytes",
    generators: [connections.unreadPipelines, connections.zeroWindows],
  },
  resets: {
    what: "rapid reset of HTTP/2 with reconnects, and requests cut off on the page's port",
    generators: [connections.rapidResets, connections.cutOffRequests],
  },
} as const satisfies Record<string, Attack>;

export type AttackName = keyof typeof attacks;
