/** Follows orders over the WebSocket as a browser does, and records missing statuses. */
import { delay } from "@smartcart/runtime";

/** What one watcher saw of its order. */
export interface Sighting {
  readonly orderId: string;
  /** Every sequence up to here was seen, or a resync said that it could not be. */
  lastSequence: number;
  /** Sequences that were followed by a later one without being seen, and without a resync. */
  gaps: number;
  resyncs: number;
  connections: number;
  /** Status names, in the order in which they came. */
  statuses: string[];
  /** Nothing more will come. */
  done: boolean;
}

/** After so long without a frame the connection counts as dead and a new one is made. */
const silenceMs = 8_000;

interface Frame {
  readonly orderId?: string;
  readonly status?: string;
  readonly sequence?: number;
  readonly resync?: { readonly lastSequence?: number };
}

/** Watches until the order's last status, or the signal. Never rejects. */
export async function watchOrder(
  url: string,
  orderId: string,
  signal: AbortSignal,
): Promise<Sighting> {
  const seen: Sighting = {
    orderId,
    lastSequence: 0,
    gaps: 0,
    resyncs: 0,
    connections: 0,
    statuses: [],
    done: false,
  };
  while (!seen.done && !signal.aborted) {
    await watchOnce(url, seen, signal);
    if (!seen.done) await delay(200 + Math.random() * 300, signal).catch(() => {});
  }
  return seen;
}

/** One connection; resolves when it is over. */
async function watchOnce(url: string, seen: Sighting, signal: AbortSignal): Promise<void> {
  seen.connections++;
  const socket = new WebSocket(url);
  await new Promise<void>((over) => {
    let silence = setTimeout(over, silenceMs);
    const subscribe = () =>
      socket.send(
        JSON.stringify({ subscribe: { orderId: seen.orderId, afterSequence: seen.lastSequence } }),
      );
    socket.onopen = subscribe;
    socket.onclose = () => over();
    socket.onerror = () => over();
    signal.addEventListener("abort", () => over(), { once: true });
    socket.onmessage = ({ data }) => {
      clearTimeout(silence);
      silence = setTimeout(over, silenceMs);
      const frame = JSON.parse(String(data)) as Frame;
      note(frame, seen);
      if (frame.resync !== undefined) setTimeout(() => socket.readyState === 1 && subscribe(), 500);
      if (seen.done) over();
    };
  });
  socket.onopen = socket.onclose = socket.onmessage = null;
  socket.onerror = () => {};
  socket.close();
}

/** Takes one frame into account; exported for its test. */
export function note(frame: Frame, seen: Sighting): void {
  if (frame.resync !== undefined) {
    seen.resyncs++;
    return;
  }
  const { sequence = 0, status = "" } = frame;
  // A repetition: delivery is at least once.
  if (frame.orderId !== seen.orderId || sequence <= seen.lastSequence) return;
  if (sequence > seen.lastSequence + 1) seen.gaps += sequence - seen.lastSequence - 1;
  seen.lastSequence = sequence;
  seen.statuses.push(status);
  seen.done = isLast(status, sequence);
}

/** After "Out of Stock" a refund follows where the order had been paid, at its fourth status. */
function isLast(status: string, sequence: number): boolean {
  return (
    ["Shipped", "Refunded", "Payment Declined"].includes(status) ||
    (status === "Out of Stock" && sequence === 2)
  );
}
