/** A progress bar on standard error. */
import { writeOutput } from "@smartcart/runtime";

export interface Progress {
  /** Shows how much is done, as a share from 0 to 1 (undefined: unknown), with a text behind it. */
  show(share: number | undefined, text: string): void;
  /** Removes the bar. */
  clear(): void;
}

const width = 30;
/** Shortest time between two changes of the bar, in milliseconds. */
const intervalMs = 100;

/** A bar where standard error is a terminal, else nothing. */
export function createProgress(isTerminal: boolean): Progress {
  if (!isTerminal) return { show() {}, clear() {} };
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show(share, text) {
      if (performance.now() - shownAt < intervalMs) return;
      shownAt = performance.now();
      writeOutput("stderr", `\r\x1b[K${share === undefined ? "" : `${barOf(share)} `}${text}`);
    },
    clear: () => void writeOutput("stderr", "\r\x1b[K"),
  };
}

function barOf(share: number): string {
  const done = Math.round(Math.min(share, 1) * width);
  return `${"█".repeat(done)}${"░".repeat(width - done)} ${Math.floor(Math.min(share, 1) * 100)} %`;
}
