/** What strangers do to the shop. Every attack has a bounded rate, and is made of bytes that are computed once. */
import * as connections from "./attacks-connections.ts";
import * as frames from "./attacks-frames.ts";
import * as requests from "./attacks-requests.ts";
import * as slow from "./attacks-slow.ts";
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
  "slow-clients": {
    what: "headers and bodies a byte at a time, stalled bodies, and 5,000 idle connections from one address",
    generators: [slow.slowHeaders, slow.slowBodies, slow.stalledStreams, slow.idleSockets],
  },
  frames: {
    what: "floods of CONTINUATION and SETTINGS, oversized and fragmented frames of WebSockets",
    generators: [frames.continuationFlood, frames.settingsFlood, frames.websocketFrames],
  },
} as const satisfies Record<string, Attack>;

export type AttackName = keyof typeof attacks;

/** What `--attacks floods` stands for. */
export const floods: readonly AttackName[] = [
  "slow-clients",
  "frames",
  "resets",
  "unread-answers",
  "bodies",
];
