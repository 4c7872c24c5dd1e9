import { randomFillSync } from "node:crypto";
import { encodeTime, ulid } from "ulid";

const pool = new Uint8Array(4_096);
let used = pool.length;

/** `ulid` asks for 16 random numbers an id; its own source goes to the operating system for each of them. */
function random(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return (pool[used++] as number) / 256;
}

/** "ORD-" and a ULID of that instant: ids in order are orders in the order in which they were placed. */
export function newOrderId(now: Date): string {
  return `ORD-${ulid(now.getTime(), random)}`;
}

/** The lowest id that an order of that instant can have: the ids of older orders are before it. */
export function lowestOrderId(at: Date): string {
  return `ORD-${encodeTime(Math.max(0, at.getTime()))}`;
}
