/** The built page, served from memory: it is a few files, and reading each of them once leaves no descriptor to leak. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import type { NodeRequest, NodeResponse } from "@smartcart/mesh";
import { pageHeaders, StartError } from "@smartcart/runtime";
import { writeHead } from "./write-head.ts";

/** One form of a file: as it is, or compressed. */
interface Representation {
  readonly bytes: Buffer;
  /** Strong, and of this form alone (RFC 9110, 8.8.3.3). */
  readonly etag: string;
}

interface PageFile {
  readonly type: string;
  /** Vite puts a hash of the content into the names below /assets. */
  readonly isHashed: boolean;
  readonly plain: Representation;
  readonly gzip: Representation | undefined;
}

/** The files of the built page, by path: "/assets/index-3f2a.js". */
export interface PageFiles {
  at(path: string): PageFile | undefined;
  readonly index: PageFile;
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

/** Reads the folder of the built page. Throws a StartError where there is no page in it. */
export async function loadPage(folder: string): Promise<PageFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const bytesByPath = new Map<string, Buffer>();
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const file = join(entry.parentPath, entry.name);
    bytesByPath.set(`/${relative(folder, file).replaceAll(sep, "/")}`, await readFile(file));
  }
  const files = new Map<string, PageFile>();
  for (const [path, bytes] of bytesByPath) {
    if (!path.endsWith(".gz")) files.set(path, fileOf(path, bytes, bytesByPath.get(`${path}.gz`)));
  }
  const index = files.get("/index.html");
  if (index === undefined)
    throw new StartError(`there is no index.html in ${folder}; build the page`);
  return { at: (path) => files.get(path), index };
}

function fileOf(path: string, bytes: Buffer, compressed: Buffer | undefined): PageFile {
  return {
    type: types[extname(path)] ?? "application/octet-stream",
    isHashed: path.startsWith("/assets/"),
    plain: representationOf(bytes),
    gzip: compressed && representationOf(compressed),
  };
}

function representationOf(bytes: Buffer): Representation {
  const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 27);
  return { bytes, etag: `"${hash}"` };
}

/** A file as the answer to a request. */
export interface FileAnswer {
  readonly file: PageFile;
  readonly status: 200 | 404;
  /** Its Content-Security-Policy. */
  readonly policy: string;
}

/**
 * Answers a GET or HEAD with a file. Ranges are not served: RFC 9110, 14.2 lets a server ignore them, and whole files of this
 * size are no burden.
 */
export function sendFile(
  request: NodeRequest,
  response: NodeResponse,
  { file, status, policy }: FileAnswer,
): void {
  const isGzip = file.gzip !== undefined && acceptsGzip(request.headers["accept-encoding"]);
  const { bytes, etag } = (isGzip && file.gzip) || file.plain;
  const headers = {
    ...pageHeaders(policy),
    // `/orders` is a page for a browser and a resource for everybody else.
    vary: "accept, accept-encoding",
    "cache-control": file.isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    "accept-ranges": "none",
    etag,
  };
  const precondition = status === 200 ? failedPrecondition(request, etag) : undefined;
  if (precondition !== undefined) {
    writeHead(response, precondition, headers);
    return void response.end();
  }
  writeHead(response, status, {
    ...headers,
    "content-type": file.type,
    "content-length": bytes.length,
    ...(isGzip && { "content-encoding": "gzip" }),
  });
  // Of an answer to HEAD, Node sends the headers alone. The bytes are shared by all answers.
  response.end(bytes);
}

/** RFC 9110, 13.2.2: `If-Match` before `If-None-Match`. There is no date to compare with. */
function failedPrecondition({ headers }: NodeRequest, etag: string): 304 | 412 | undefined {
  const wanted = headers["if-match"];
  if (wanted !== undefined && !names(wanted, etag)) return 412;
  const known = headers["if-none-match"];
  return known !== undefined && names(known.replaceAll(/\bW\//g, ""), etag) ? 304 : undefined;
}

function names(list: string, etag: string): boolean {
  return list.trim() === "*" || list.split(",").some((one) => one.trim() === etag);
}

/** RFC 9110, 12.5.3; the name "*" stands for every encoding that is not named. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  const weights = new Map<string, number>();
  for (const entry of String(header ?? "")
    .toLowerCase()
    .split(",")) {
    const [coding = "", ...parameters] = entry.split(";").map((text) => text.trim());
    const weight = parameters.find((text) => text.startsWith("q="))?.slice(2);
    weights.set(coding, weight === undefined ? 1 : Number(weight));
  }
  return (weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0) > 0;
}
