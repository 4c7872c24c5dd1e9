/** One direction of a proxied connection: bytes in their order, as late as they are told to be. */
import type { Socket } from "node:net";

interface TcpRelayRules {
  /** How long a chunk that comes now is kept, in milliseconds. */
  readonly delayMs: () => number;
  /** Nothing goes on while this says so. */
  readonly isBlocked: () => boolean;
  /** Sees each chunk when it is due; true takes it away. */
  readonly onChunk: (chunk: Buffer) => boolean;
}

export interface TcpRelay {
  /** Looks again at what waits: a rule has changed. */
  pump(): void;
  /** Ends the receiving side once everything that waits is through. */
  end(): void;
}

/** Beyond this the sender is not read any more, as a full TCP window would have it. */
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
    // Not earlier than what came before it, also where the delay has just become shorter.
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
