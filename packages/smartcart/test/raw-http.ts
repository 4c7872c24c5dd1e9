/** HTTP byte for byte, as no client library would send it. */
import { connect } from "node:net";

export interface RawOptions {
  /** Close our side after the request and wait for the answer. Default: leave it open until the server closes. */
  readonly halfClose?: boolean;
  /** The longest wait for the server to close. Default 5,000 ms; what came until then is answered. */
  readonly patienceMs?: number;
}

/** Sends bytes and returns what came back until the connection ended, as latin1. Never rejects: a reset is an end. */
export async function sendRaw(
  url: string,
  bytes: string | Buffer,
  { halfClose = false, patienceMs = 5_000 }: RawOptions = {},
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ""));
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => socket.destroy());
  socket.setTimeout(patienceMs, () => socket.destroy());
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  if (halfClose) socket.end();
  await closed;
  return Buffer.concat(chunks).toString("latin1");
}

/** The status codes of the answers in it. */
export function statusesOf(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
