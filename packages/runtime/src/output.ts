import { writeSync } from "node:fs";
import { concealSecrets } from "./secrets.ts";

/** Standard output and standard error. */
export type OutputStream = "stdout" | "stderr";

const descriptors: Readonly<Record<OutputStream, number>> = { stdout: 1, stderr: 2 };
/** How long a pipe whose reader is slow is waited for between two attempts, where it does not block by itself. */
const busyPauseMs = 5;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes a text at once and never throws: who reads along may leave at any time (`npm start | head -2`), and a disk may be
 * full. Returns what went wrong, undefined where all of it was written. Secrets are concealed, unless they are what was asked for.
 *
 * `process.stdout` would tell the same by an event "error", which ends the process if it has no listener.
 */
export function writeOutput(
  stream: OutputStream,
  text: string,
  { withSecrets = false }: { readonly withSecrets?: boolean } = {},
): NodeJS.ErrnoException | undefined {
  const bytes = Buffer.from(withSecrets ? text : concealSecrets(text));
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptors[stream], bytes, written);
    } catch (thrown) {
      const error = thrown as NodeJS.ErrnoException;
      if (error.code !== "EAGAIN") return error;
      Atomics.wait(pause, 0, 0, busyPauseMs);
    }
  }
  return undefined;
}
