/** One direction of a proxied connection: forwards bytes in order, with a delay. */
import type { Socket } from "node:net";

interface TcpRelayRules {
  /** How long a chunk that comes now is kept, in milliseconds. */
  readonly delayMs: () => number;
  /** While true, chunks are kept and not forwarded. */
  readonly isBlocked: () => boolean;
  /** Called with each chunk when it is due; true drops it. */
  readonly onChunk: (chunk: Buffer) => boolean;
}

export interface TcpRelay {
  /** Forwards what is due; to be called when a rule has changed. */
  pump(): void;
  /** Ends the receiving side once everything that waits has been forwarded. */
  end(): void;
}

/** Beyond this the sender is not read any more, as with a full TCP window. */
const maxWaitingBytes = 1_048_576;

export function createTcpRelay(from: Socket, to: Socket, rules: TcpRelayRules): TcpRelay {
  const waiting: { readonly chunk: Buffer; readonly dueAtMs: number }[] = [];
  let waitingBytes = 0;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;

  const pump = () => {
    clearTimeout(timer);
    timer = undefined;
    while (waiting[0] !== undefined && !rules.isBlocked() && !to.destroyed) {
      const waitMs = waiting[0].dueAtMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(pump, waitMs);
        return;
      }
      const { chunk } = waiting.shift() as { chunk: Buffer };
      waitingBytes -= chunk.length;
      if (rules.onChunk(chunk)) continue;
      if (!to.write(chunk)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    }
    if (waitingBytes < maxWaitingBytes && !to.writableNeedDrain) from.resume();
    if (ended && waiting.length === 0) to.end();
  };

  from.on("data", (chunk: Buffer) => {
    const delayMs = rules.delayMs();
    // Never before an earlier chunk, also when the delay has just become shorter.
    const dueAtMs = Math.max(performance.now() + delayMs, waiting.at(-1)?.dueAtMs ?? 0);
    waiting.push({ chunk, dueAtMs });
    waitingBytes += chunk.length;
    if (waitingBytes >= maxWaitingBytes) from.pause();
    if (timer === undefined) pump();
  });
  const end = () => {
    ended = true;
    pump();
  };
  from.once("end", end);
  to.once("close", () => clearTimeout(timer));
  return { pump, end };
}
