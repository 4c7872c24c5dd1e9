import { writeSync } from "node:fs";
import { concealSecrets } from "./secrets.ts";

/** Standard output and standard error. */
export type OutputStream = "stdout" | "stderr";

const descriptors: Readonly<Record<OutputStream, number>> = { stdout: 1, stderr: 2 };
/** Pause between two attempts on a full non-blocking pipe. */
const busyPauseMs = 5;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes a text synchronously and never throws: the reader of a pipe may close it at any time (`npm start | head -2`), and a disk may
 * be full. Returns the error; undefined where all of it was written. Secrets are redacted unless `withSecrets` is set.
 *
 * `process.stdout` reports such an error by an event "error", which ends the process if it has no listener.
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
