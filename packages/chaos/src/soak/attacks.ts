/** The attacks on the shop. Each has a bounded rate and sends bytes that are computed once. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import * as connections from "./attacks-connections.ts";
import * as frames from "./attacks-frames.ts";
import * as requests from "./attacks-requests.ts";
import * as slow from "./attacks-slow.ts";
import { slowHttpTests } from "./attacks-slowhttptest.ts";
import type { Generator } from "./generator.ts";

/** A group of generators against the same weakness. */
interface Attack {
  readonly what: string;
  readonly generators: readonly Generator[];
  /** A program that must be installed for it. Default: none. */
  readonly needs?: string;
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
    what: "pipelined requests whose answers are not read, and windows of zero bytes",
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
    what: "floods of CONTINUATION, SETTINGS and PING, oversized and fragmented frames of WebSockets, and WebSockets that read nothing",
    generators: [
      frames.continuationFlood,
      frames.settingsFlood,
      frames.pingFlood,
      frames.websocketFrames,
      frames.slowReaders,
    ],
  },
  slowhttptest: {
    what: "slowhttptest: slow headers, bodies and reading against order service, hub and page",
    generators: slowHttpTests,
    needs: "slowhttptest",
  },
} as const satisfies Record<string, Attack>;

export type AttackName = keyof typeof attacks;

/** The program that an attack needs and that is not installed; undefined: it can run. */
export function missingFor(name: AttackName): string | undefined {
  const { needs }: Attack = attacks[name];
  const folders = process.env.PATH?.split(delimiter) ?? [];
  const isThere = needs === undefined || folders.some((folder) => existsSync(join(folder, needs)));
  return isThere ? undefined : needs;
}

/** The attacks of `--attacks floods`. */
export const floods: readonly AttackName[] = [
  "slow-clients",
  "slowhttptest",
  "frames",
  "resets",
  "unread-answers",
  "bodies",
];
